// What npm start, the image and the units set for the process, and the bench for all that it measures, the bare engine too.

/** The settings of malloc and V8 that the server is started with; docs/performance.md tells what each is for. */
export const asStarted = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  NODE_OPTIONS: '--max-semi-space-size=16',
} as const
