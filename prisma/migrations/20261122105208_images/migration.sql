-- CreateTable
CREATE TABLE "images" (
    "hash" BYTEA NOT NULL,
    "type" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "images_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "image_addresses" (
    "address" BYTEA NOT NULL,
    "image_hash" BYTEA NOT NULL,
    "fetched_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "image_addresses_pkey" PRIMARY KEY ("address")
);

-- CreateIndex
CREATE INDEX "image_addresses_image_hash_idx" ON "image_addresses"("image_hash");

-- AddForeignKey
ALTER TABLE "image_addresses" ADD CONSTRAINT "image_addresses_image_hash_fkey" FOREIGN KEY ("image_hash") REFERENCES "images"("hash") ON DELETE CASCADE ON UPDATE CASCADE;
