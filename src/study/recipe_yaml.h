// What recipes share in reading YAML: values as options take them, and errors that name file, line and key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "base/json.h"

namespace reveille::study {

// Null for a text without anything in it. Error(usage): no YAML, no UTF-8, a zero byte, or no keys at the top.
YAML::Node load_recipe_yaml(const std::string& text, const std::string& where);

// "file:7", or "file" where the node has no line.
std::string at_line(const std::string& where, const YAML::Node& node);

// A plain value as text, or a list of them; nothing is "". Error(usage) for a section.
Json scalar_or_list(const YAML::Node& node, const std::string& key, const std::string& where);

}  // namespace reveille::study
