# Builds the image of the server, the worker and the commands: node dist/scripts/authy2.js [command].
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY prisma prisma
COPY scripts scripts
COPY src src
COPY views views
# npm ci also generates the database client into src/platform/data/generated; prepack makes dist of it all.
RUN npm ci && npm run prepack

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the peers and options of others, which are tools: prisma, typescript. No script is run, for argon2 brings its binary along.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="Authy2" \
      org.opencontainers.image.description="A standards-compliant OpenID Connect identity provider" \
      org.opencontainers.image.licenses="MIT"
# What only installs or builds is of use to nobody but an intruder.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
           /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-v* \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/authy2
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/package.json package.json
COPY --from=build /app/dist dist
# A few arenas for malloc: with one for each thread and core an idle process holds half as much again. What is large is mapped
# by itself, always, so that it goes back to the system when it is let go. Password hashes have huge pages where the system
# gives them, and the young generation fits the processor's cache.
ENV NODE_ENV=production PORT=3000 DATA_DIR=/var/lib/authy2 \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=32768 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 NODE_OPTIONS=--max-semi-space-size=16
# A number, so that Kubernetes can see that it is not root. The files belong to root: nothing of the program can be changed.
USER 10001:10001
# Written to are DATA_DIR and /tmp alone: docker run --read-only --tmpfs /tmp.
VOLUME /var/lib/authy2
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "dist/scripts/authy2.js", "health"]
ENTRYPOINT ["node", "dist/scripts/authy2.js"]
CMD ["start"]
