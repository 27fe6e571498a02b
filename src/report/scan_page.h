// scan.html: one offline file that shows a scan to people, made from what `reveille scan --format json` writes and
// nothing else.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace reveille::report {

struct ScanPageOptions {
  std::string name;     // of the model, for the head of the page; "": none is shown
  bool replays = true;  // a folder "finding-N" with replay.py and replay.sh lies beside the page
  std::string command;  // that makes the scan again; "": made from budget and seed
};

// The verdict in one sentence, for a terminal and for the page's head.
std::string scan_sentence(const Json& scan, const std::string& where);

// The page. The same scan gives the same bytes. Errors name `where` and the key that is not as it should be.
std::string scan_page(const Json& scan, const std::string& where, const ScanPageOptions& options = {});

// Writes it, whole or not at all.
void write_scan_page(const std::filesystem::path& path, const Json& scan, const std::string& where,
                     const ScanPageOptions& options = {});

}  // namespace reveille::report
