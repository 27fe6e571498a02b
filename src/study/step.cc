#include "study/step.h"

#include "base/error.h"

namespace reveille::study {

void write_rows(const std::filesystem::path& file, const std::vector<ResultRow>& rows) {
  Json all = Json::array();
  for (const auto& row : rows) all.push_back(to_json(row));
  write_json(file, all, -1);
}

std::vector<ResultRow> read_rows(const std::filesystem::path& file) {
  std::vector<ResultRow> rows;
  const Json all = read_json(file);
  for (std::size_t i = 0; i < all.size(); ++i)
    rows.push_back(result_row_from_json(all[i], cat(file.string(), ": [", i, "]")));
  return rows;
}

}  // namespace reveille::study
