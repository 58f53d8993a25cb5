"""Measures what a device does at best: large products and a large copy.

  python -m benchmarks.chip [--json FILE]

The table has them next to what the maker states, if that is known.
"""

from benchmarks.shared import machine, results


def main(argv: list[str] | None = None) -> None:
  """Measures, prints a table and writes the JSON file."""
  options = results.create_parser(__doc__).parse_args(argv)
  about = machine.describe()
  table = results.ResultTable(("what", "measured", "stated", "share"))
  rows = []
  for dtype in ("bfloat16", "float32"):
    peak = machine.peak(dtype)
    rows.append(
      {
        "name": f"product, {dtype}, TFLOP/s",
        "measured": 2 * machine.matmul_rate(dtype) / 1e12,
        "stated": peak and peak.flops / 1e12,
      }
    )
  peak = machine.peak("bfloat16")
  rows.append(
    {
      "name": "copy, read and written, GB/s",
      "measured": machine.copy_rate() / 1e9,
      "stated": peak and peak.bytes_per_second / 1e9,
    }
  )
  for row in rows:
    stated = row["stated"]
    table.add(
      row["name"],
      f"{row['measured']:.1f}",
      "-" if stated is None else f"{stated:.1f}",
      results.share_cell(stated and row["measured"] / stated),
    )
  results.write_json(options.json, {"machine": about, "rows": rows})


if __name__ == "__main__":
  main()
