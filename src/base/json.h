// JSON as the program uses it: keys keep their order, so that what we write is the
// same bytes every time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace reveille {

using Json = nlohmann::ordered_json;

// Parses text; `where` (a file name, "line 7 of x.jsonl") stands in the error.
Json parse_json(std::string_view text, const std::string& where);
Json read_json(const std::filesystem::path& path);
// Written whole or not at all; `indent` < 0 puts everything on one line.
void write_json(const std::filesystem::path& path, const Json& value, int indent = 2);

// Typed access that names file and key when something is missing or of another type.
const Json& json_at(const Json& object, std::string_view key, const std::string& where);
std::string json_string(const Json& object, std::string_view key, const std::string& where);
std::int64_t json_integer(const Json& object, std::string_view key, const std::string& where);
double json_number(const Json& object, std::string_view key, const std::string& where);
bool json_bool(const Json& object, std::string_view key, const std::string& where);
// A list all of whose items are of one of these types.
std::vector<std::string> json_strings(const Json& object, std::string_view key, const std::string& where);
std::vector<double> json_numbers(const Json& object, std::string_view key, const std::string& where);
std::vector<bool> json_bools(const Json& object, std::string_view key, const std::string& where);

}  // namespace reveille
