// The parts of scan.html, each a piece of HTML made from a scan's JSON. `where` stands in errors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "report/sections.h"

namespace reveille::report {

// A list of the scan; Error(bad_input) when it is none.
const Json& scan_list(const Json& scan, const char* key, const std::string& where);
// A figure; nothing for null, which stands for one that could not be computed.
std::optional<double> figure_of(const Json& object, const char* key, const std::string& where);
// A string as a model reads it: what cannot be seen is shown. HTML.
std::string shown_string(const std::string& text);
// "at the end of the user's message"
std::string place_words(const std::string& place);
// "96.9 %", or "not measured"
std::string rate_text(const std::optional<double>& rate);
// How many candidates of the scan were tested.
std::size_t tested_count(const Json& scan, const std::string& where);

std::string scan_findings(const Json& scan, const std::string& where, Charts& charts);
std::string scan_funnel(const Json& scan, const std::string& where, Charts& charts);
std::string scan_detectors(const Json& scan, const std::string& where);
std::string scan_files(const Json& scan, const std::string& where);
std::string scan_budget(const Json& scan, const std::string& where);

}  // namespace reveille::report
