// Which files a data set path means. Inside the room: used by the data set reader.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace reveille::io {

// The data files of a folder (or of its folder data/), sorted: those of the split when one is
// named; else the only file; else the split "train". Throws Error naming what is there.
std::vector<std::filesystem::path> files_of_folder(const std::filesystem::path& folder, const std::string& split);

// The file's ending without .gz, in lower case: ".jsonl", ".csv", ...
std::string data_ending(const std::filesystem::path& file);

}  // namespace reveille::io
