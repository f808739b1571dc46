# Builds the image of the server and of the worker.
FROM node:24-slim AS build
WORKDIR /app
COPY . .
# npm ci also generates the database client into src/platform/data/generated.
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production PORT=3000 DATA_DIR=/var/lib/authy2
WORKDIR /app
COPY --from=build /app ./
RUN mkdir -p "$DATA_DIR" && chown node:node "$DATA_DIR"
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The worker is the same image with the argument src/worker.ts.
CMD ["node", "src/server.ts"]
