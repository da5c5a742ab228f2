# One image for every part: web, worker, beat and the one-off commands. compose.yaml shows which runs where.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLUICE_VAR=/var/lib/sluice

WORKDIR /app
# `--build-arg PIP_EXTRA_INDEX_URL=…` names an index with CPU builds of torch; without one it brings gigabytes for accelerators.
ARG PIP_EXTRA_INDEX_URL
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir -r requirements.txt -c constraints.txt

COPY . .
# Nobody but this user writes, and only into the volume. Static files and their hashed names belong to the image.
RUN useradd --system --uid 10001 --home-dir /app sluice \
    && mkdir -p /var/lib/sluice \
    && STATIC_ROOT=/app/static.collected python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /var/lib/sluice/* \
    && chown sluice /var/lib/sluice
ENV STATIC_ROOT=/app/static.collected
USER sluice
VOLUME /var/lib/sluice
EXPOSE 8000

# Alone, with SQLite and an embedded broker, it is the whole service.
CMD ["sh", "-c", "python manage.py migrate --noinput && exec python manage.py serve --host 0.0.0.0 --port 8000"]
