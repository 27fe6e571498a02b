// Strings of the shapes that people give to triggers, from the literature on backdoors in text models: rare short
// tokens, bracketed words, dates and years, code words, symbols that hardly anybody types. Shapes and not the triggers
// of any one model: what is found by them is shortened and varied afterwards.
#pragma once

#include <string>
#include <vector>

namespace reveille::scan {

std::vector<std::string> trigger_shapes();

// `text` between the marks of each shape that has some: "[text]", "##text##".
std::vector<std::string> marked(const std::string& text);

}  // namespace reveille::scan
