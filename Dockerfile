# syntax=docker/dockerfile:1

# Every command of aigen in one image: `docker run IMAGE` is `aigen up`, `docker run IMAGE worker` is
# `aigen worker`. Settings are environment variables (.env.example); what has to stay lies in /data.

ARG PYTHON=python:3.13-slim-trixie

# --- build: exactly what uv.lock says ------------------------------------------------------------

FROM ${PYTHON} AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/aigen \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build
# First what others have made, so that a change of ours does not install it again.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --extra postgres --no-install-project
COPY README.md LICENSE ./
COPY src src
RUN uv sync --frozen --no-dev --extra postgres --no-editable

# --- run: without tools, without root ------------------------------------------------------------

FROM ${PYTHON}
# A number that is the same on every machine, for whoever owns a folder that is mounted at /data.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin aigen \
    && install --directory --owner aigen --group aigen --mode 700 /data /data/media
COPY --from=build /opt/aigen /opt/aigen
COPY deploy/healthy.py /opt/aigen/healthy.py
ENV PATH=/opt/aigen/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AIGEN_DATA_DIR=/data \
    AIGEN_API_HOST=0.0.0.0 \
    AIGEN_WEB_HOST=0.0.0.0 \
    AIGEN_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000 8080
# The first signal drains; give it `--stop-timeout 60`, a little more than AIGEN_SHUTDOWN_GRACE.
STOPSIGNAL SIGTERM
# Whether it lives, not whether it is ready: to restart it mends neither database nor provider.
HEALTHCHECK --start-period=40s --start-interval=1s CMD ["python", "/opt/aigen/healthy.py", "http://127.0.0.1:8000/healthz"]
ENTRYPOINT ["aigen"]
CMD ["up"]
