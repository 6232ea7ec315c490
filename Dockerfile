# One image for web, worker, beat and migrate; the command says which (see compose.yaml).
# Nothing is compiled and no Debian package is added: every dependency is a wheel of known hash.

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/tidui
COPY requirements.lock ./
RUN /opt/tidui/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY seeds seeds
COPY service service
COPY workers workers
RUN /opt/tidui/bin/python -m pip install --no-index --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm
ENV PATH=/opt/tidui/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    _RJEM_MALLOC_CONF=narenas:1,dirty_decay_ms:5000,muzzy_decay_ms:5000 \
    TIDUI_DATA=/var/lib/tidui
RUN useradd --system --user-group --uid 10001 --no-create-home --home-dir /var/lib/tidui tidui \
 && install --directory --owner tidui --group tidui --mode 0700 /var/lib/tidui /var/lib/tidui-store
COPY --from=build /opt/tidui /opt/tidui
USER 10001:10001
WORKDIR /var/lib/tidui
EXPOSE 8000
# web; the others: tidui worker · tidui beat · tidui registry migrate
CMD ["gunicorn", "-c", "python:service.gunicorn", "--bind", "0.0.0.0:8000"]
