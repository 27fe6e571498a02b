#include "cli/cli.h"

int main(int argc, char** argv) { return reveille::cli::run(argc, argv); }
