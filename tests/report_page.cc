// Makes report.html of a run folder, for tests/report_browser.py.
#include <cstdio>

#include "base/error.h"
#include "report/report.h"

int main(int count, char** arguments) {
  if (count != 2) return std::fputs("usage: report_page RUN_FOLDER\n", stderr), 2;
  try {
    std::puts(reveille::report::make_report(arguments[1]).c_str());
  } catch (const reveille::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
