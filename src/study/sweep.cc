#include "study/sweep.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::study {
namespace {

// More runs than anybody means to start by one command.
constexpr std::size_t kMostRuns = 1000;

bool same_key(const SweepAxis& a, const SweepAxis& b) { return whole_key(a.key) == whole_key(b.key); }

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

// As a folder may be named on any system.
std::string file_name(const std::string& text) {
  std::string out;
  for (char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == '+';
    out += plain ? c : '_';
  }
  return out.empty() ? "empty" : out;
}

// "learning_rate", with its section where another axis ends alike.
std::string short_key(const SweepAxis& axis, const std::vector<SweepAxis>& axes) {
  const auto alike = std::count_if(axes.begin(), axes.end(),
                                   [&](const SweepAxis& other) { return last_part(other.key) == last_part(axis.key); });
  return alike > 1 ? axis.key : last_part(axis.key);
}

Json with(Recipe recipe, const SweepAxis& axis, const std::string& value) {
  override_recipe(recipe, cat(axis.key, "=", value), axis.where);
  return recipe_to_json(recipe);
}

void check_axis(const Recipe& recipe, const SweepAxis& axis) {
  if (axis.values.empty())
    fail(ErrorKind::usage, cat(axis.where, ": ", axis.key, " has no values"), "name at least one");
  std::vector<Json> seen;
  for (const auto& value : axis.values) {
    Json whole = with(recipe, axis, value);
    const auto twin = std::find(seen.begin(), seen.end(), whole);
    if (twin != seen.end()) {
      fail(ErrorKind::usage, cat(axis.where, ": ", axis.key, ": '", value, "' says the same as '",
                                 axis.values[static_cast<std::size_t>(twin - seen.begin())], "'"));
    }
    seen.push_back(std::move(whole));
  }
}

void check_axes(const Recipe& recipe, const std::vector<SweepAxis>& axes) {
  std::size_t runs = 1;
  for (auto axis = axes.begin(); axis != axes.end(); ++axis) {
    if (std::any_of(axes.begin(), axis, [&](const SweepAxis& other) { return same_key(other, *axis); }))
      fail(ErrorKind::usage, cat(axis->where, ": ", axis->key, " stands in the sweep twice"));
    check_axis(recipe, *axis);
    runs *= axis->values.size();
    if (runs > kMostRuns) fail(ErrorKind::usage, cat("the sweep has more than ", kMostRuns, " runs"));
  }
}

void add_value(SweepRun& run, const SweepAxis& axis, const std::string& value, const std::vector<SweepAxis>& axes) {
  run.settings.emplace_back(axis.key, value);
  run.folder += cat(run.folder.empty() ? "" : ",", short_key(axis, axes), "-", file_name(value));
  override_recipe(run.recipe, cat(axis.key, "=", value), axis.where);
}

// Two values that look alike as file names.
void make_folders_differ(std::vector<SweepRun>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string folder = runs[i].folder;
    auto taken = [&] {
      return std::any_of(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(i),
                         [&](const SweepRun& other) { return other.folder == runs[i].folder; });
    };
    for (int number = 2; taken(); ++number) runs[i].folder = cat(folder, "_", number);
  }
}

}  // namespace

SweepAxis parse_axis(const std::string& text) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos || at == 0)
    fail(ErrorKind::usage, cat("--sweep ", text, ": expected key=value,value"),
         "for example --sweep safety.learning_rate=2e-5,1e-4");
  SweepAxis axis{std::string(trim(text.substr(0, at))), {}, "--sweep"};
  const std::string values = text.substr(at + 1);
  if (trim(values).empty()) fail(ErrorKind::usage, cat("--sweep ", text, ": ", axis.key, " has no values"));
  for (const auto& value : split(values, ",")) axis.values.emplace_back(trim(value));
  return axis;
}

std::vector<SweepAxis> merged_axes(const std::vector<SweepAxis>& of_recipe, const std::vector<SweepAxis>& given,
                                   const std::vector<std::string>& assignments) {
  std::vector<SweepAxis> out = of_recipe;
  for (const auto& assignment : assignments) {
    const SweepAxis assigned{split_assignment(assignment).first, {}, ""};
    for (const auto& axis : given) {
      if (same_key(axis, assigned))
        fail(ErrorKind::usage,
             cat("--sweep ", axis.key, "=", join(axis.values, ","), " and ", assignment, " set the same key"));
    }
    std::erase_if(out, [&](const SweepAxis& axis) { return same_key(axis, assigned); });
  }
  for (const auto& axis : given) {
    const auto own = std::find_if(out.begin(), out.end(),
                                  [&](const SweepAxis& one) { return same_key(one, axis) && one.where != axis.where; });
    if (own == out.end()) {
      out.push_back(axis);
    } else {
      *own = axis;
    }
  }
  return out;
}

std::vector<SweepRun> sweep_runs(const Recipe& recipe, const std::vector<SweepAxis>& axes) {
  Recipe base = recipe;
  base.sweep.clear();
  check_axes(base, axes);
  std::vector<SweepRun> runs = {{{}, "", base}};
  for (const auto& axis : axes) {
    std::vector<SweepRun> longer;
    for (const auto& run : runs) {
      for (const auto& value : axis.values) {
        longer.push_back(run);
        add_value(longer.back(), axis, value, axes);
      }
    }
    runs = std::move(longer);
  }
  make_folders_differ(runs);
  for (const auto& run : runs) check_whole(run.recipe);
  return runs;
}

}  // namespace reveille::study
