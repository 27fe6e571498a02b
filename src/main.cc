#if defined(__GLIBC__)
#include <malloc.h>

#include <climits>
#endif

#include "cli/cli.h"

namespace {

// Training frees and asks for the same large blocks at every step; glibc gives each back to the kernel, which must
// zero it again. Kept instead, steps are 2 to 8 % faster at the same peak (docs/performance.md).
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  return reveille::cli::run(argc, argv);
}
