// Makes the page and the SARIF log of a scan, for tests/scan_sarif.py and tests/scan_browser.py.
//
//   scan_page SCAN.json FOLDER
//
// writes FOLDER/scan.html and FOLDER/scan.sarif. Exit code 2 and one line on an Error.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/json.h"
#include "report/scan_page.h"
#include "report/scan_sarif.h"

int main(int argc, char** argv) {
  try {
    if (argc != 3) {
      std::fprintf(stderr, "usage: scan_page SCAN.json FOLDER\n");
      return 2;
    }
    const std::filesystem::path folder = argv[2];
    const reveille::Json scan = reveille::read_json(argv[1]);
    reveille::write_json(folder / "scan.sarif",
                         reveille::report::scan_sarif(scan, {.folder = "models/mine", .exit_code = 1}, argv[1]));
    reveille::report::write_scan_page(folder / "scan.html", scan, argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
