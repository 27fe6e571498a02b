#include "io/dataset_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

struct Found {
  std::vector<fs::path> text;    // files that we read
  std::vector<fs::path> tables;  // Parquet and Arrow
};

Found list_files(const fs::path& folder) {
  Found found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& file = it->path();
    std::error_code ignored;
    std::string name = file.filename().string();
    if (name.starts_with(".") || name == "dataset_info.json" || name == "dataset_infos.json" || name == "state.json" ||
        name == "config.json" || !it->is_regular_file(ignored)) {
      continue;
    }
    std::string ending = data_ending(file);
    if (ending == ".parquet" || ending == ".arrow") found.tables.push_back(file);
    for (const char* ours : {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt"}) {
      if (ending == ours) found.text.push_back(file);
    }
  }
  if (error) fail(ErrorKind::io, cat("cannot read folder ", folder.string(), ": ", error.message()));
  std::sort(found.text.begin(), found.text.end());
  return found;
}

// "train" fits train.jsonl, train-00000-of-00002.jsonl, alpaca_train.json.gz.
bool fits_split(const fs::path& file, const std::string& split) {
  std::string name = file.filename().string();
  std::string stem = name.substr(0, name.find('.'));
  auto is_join = [](char c) { return c == '-' || c == '_'; };
  if (stem == split) return true;
  if (stem.size() <= split.size()) return false;
  return (stem.starts_with(split) && is_join(stem[split.size()])) ||
         (stem.ends_with(split) && is_join(stem[stem.size() - split.size() - 1]));
}

std::vector<fs::path> of_split(const std::vector<fs::path>& files, const std::string& split) {
  std::vector<fs::path> out;
  std::copy_if(files.begin(), files.end(), std::back_inserter(out),
               [&](const fs::path& file) { return fits_split(file, split); });
  return out;
}

std::string listed(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    names.push_back(names.size() < 10 ? file.filename().string() : "...");
    if (names.size() > 10) break;
  }
  return join(names, ", ");
}

}  // namespace

std::string data_ending(const fs::path& file) {
  std::string name = lower_ascii(file.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return fs::path(name).extension().string();
}

std::vector<fs::path> files_of_folder(const fs::path& folder, const std::string& split) {
  std::error_code ignored;
  Found found = list_files(folder);
  if (found.text.empty() && fs::is_directory(folder / "data", ignored)) found = list_files(folder / "data");
  if (found.text.empty() && !found.tables.empty()) {
    fail(ErrorKind::unsupported,
         cat(folder.string(), " holds only Parquet or Arrow files (", listed(found.tables), ")"),
         "convert them to JSON Lines with the Python package datasets (Dataset.to_json)");
  }
  if (found.text.empty()) {
    fail(ErrorKind::not_found,
         cat(folder.string(), " holds no data file; expected .jsonl, .json, .csv, .tsv or .txt, plain or .gz"));
  }
  if (split.empty() && found.text.size() == 1) return found.text;
  std::vector<fs::path> chosen = of_split(found.text, split.empty() ? "train" : split);
  if (chosen.empty()) {
    fail(ErrorKind::usage,
         split.empty() ? cat(folder.string(), " holds several data files: ", listed(found.text))
                       : cat(folder.string(), " holds no file of split '", split, "'; it holds ", listed(found.text)),
         "name one of the files, or choose with split=");
  }
  return chosen;
}

}  // namespace reveille::io
