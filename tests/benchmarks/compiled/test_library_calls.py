"""Products of calls of cuDNN, cuBLAS and Pallas kernels."""

import pytest

from benchmarks.compiled import hlo, library_calls

X, KERNEL, Y = "bf16[4,28,28,64]", "bf16[32,3,3,64]", "bf16[4,28,28,32]"
WINDOW = "window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_o01i->b01f"


def _read(operands, result, attributes):
  names = ["a", "b", "c"][: len(operands)]
  lines = [
    f"  %{name} = {shape}{{0}} parameter({i})"
    for i, (name, shape) in enumerate(zip(names, operands, strict=True))
  ]
  call = f"custom-call({', '.join('%' + name for name in names)}), {attributes}"
  lines.append(f"  ROOT %r = ({result}{{0}}, u8[0]{{0}}) {call}")
  text = "ENTRY %m (a: bf16[8]) -> bf16[8] {\n" + "\n".join(lines) + "\n}\n"
  body = hlo.parse(text).computations["m"]
  return library_calls.product(body[-1], {line.name: line.arrays for line in body})


@pytest.mark.parametrize(
  ("target", "operands", "result"),
  [
    ("Forward", (X, KERNEL), Y),
    ("BackwardInput", (Y, KERNEL), X),
    ("BackwardFilter", (X, Y), KERNEL),
  ],
)
def test_gradients_of_a_convolution_have_its_multiply_adds(target, operands, result):
  call = f'{WINDOW}, custom_call_target="__cudnn$conv{target}"'
  found = _read(operands, result, call)
  assert found.multiply_adds == 4 * (3 * 28 - 2) ** 2 * 64 * 32


def test_a_product_of_cublas():
  config = (
    'custom_call_target="__cublas$gemm", backend_config={"gemm_backend_config":'
    '{"dot_dimension_numbers":{"lhs_contracting_dimensions":["2"],'
    '"rhs_contracting_dimensions":["1"],"lhs_batch_dimensions":["0"],'
    '"rhs_batch_dimensions":["0"]}}}'
  )
  found = _read(("bf16[7,32,16]", "bf16[7,16,8]"), "bf16[7,32,8]", config)
  assert found.multiply_adds == 7 * 32 * 16 * 8


@pytest.mark.parametrize(("name", "products"), [("", 2), ("Backward", 5)])
def test_attention_of_cudnn(name, products):
  config = (
    f'custom_call_target="__cudnn$fmhaSoftmax{name}", backend_config='
    '{"cudnn_fmha_backend_config": {"intermediate_tensor_shape": {"element_type": '
    '"BF16", "dimensions": ["2", "12", "197", "49"], "tuple_shapes": []}}}'
  )
  heads = "bf16[2,197,12,64]"
  found = _read((heads, heads, heads), heads, config)
  assert found.multiply_adds == products * 2 * 12 * 197 * 49 * 64


def test_a_kernel_has_the_operations_that_its_author_states():
  call = 'custom_call_target="tpu_custom_call"'
  stated = call + ', backend_config={"cost_estimate":{"flops":"1000","b":"2"}}'
  assert _read((X,), X, stated).multiply_adds == 500
  assert _read((X,), X, call) is None
