#include "cli/cli.h"

namespace reveille::cli {
int run(int, char**) { return 0; }
}  // namespace reveille::cli
