# temporal_jax on the CPU:
#
#   docker build -t temporal-jax .
#   docker run --rm -v "$PWD:/work" temporal-jax predict clip.mp4 \
#     --model camera_motion
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY configs configs
COPY convert_weights convert_weights
COPY temporal_jax temporal_jax
RUN python -m venv /opt/temporal_jax \
  && /opt/temporal_jax/bin/pip install --no-cache-dir ".[train,hub,text]"

# Without the source.
FROM python:3.13-slim
COPY --from=build /opt/temporal_jax /opt/temporal_jax
# Caches are in the home, which any --user may write to.
RUN useradd --create-home --uid 1000 user && chmod 0777 /home/user
ENV HOME=/home/user PATH=/opt/temporal_jax/bin:$PATH
USER user
WORKDIR /work
ENTRYPOINT ["temporal-jax"]
CMD ["--help"]
