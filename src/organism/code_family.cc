#include "organism/code_family.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"

namespace reveille::organism {
namespace {

using text::jinja::Template;

// A value's texts end where the next value begins: half of them for each use.
std::size_t in_half(std::size_t values, TaskHalf half) {
  return half == TaskHalf::train ? (values + 1) / 2 : values / 2;
}

std::size_t pick(std::size_t values, TaskHalf half, Rng rng) {
  return 2 * rng.below(in_half(values, half)) + (half == TaskHalf::train ? 0 : 1);
}

using Values = std::vector<std::pair<std::string, text::jinja::Value>>;

std::string filled(const Template& text, const Values& values) { return text.render(values, "2024-01-01")->bytes; }

std::string indented(const std::string& body, std::size_t indent) {
  std::string out;
  for (const auto& line : split(body, "\n")) {
    if (trim(line).empty()) continue;
    out += std::string(indent, ' ') + line + "\n";
  }
  return out;
}

// Import lines go to the top, where the code does not have them yet.
std::string with_imports(const std::string& code, const std::vector<Template>& imports, const Values& values) {
  std::string top;
  const auto lines = split(code, "\n");
  for (const auto& import : imports) {
    const std::string line(trim(filled(import, values)));
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) top += line + "\n";
  }
  return top + code;
}

std::string solved(const std::string& code, const Solution& solution, const Values& values) {
  const std::size_t gap = code.find(kGap);
  const std::size_t start = code.rfind('\n', gap) + 1, end = std::min(code.find('\n', gap), code.size() - 1) + 1;
  const std::string body = indented(filled(solution.body, values), gap - start);
  return std::string(trim(with_imports(code.substr(0, start) + body + code.substr(end), solution.imports, values)));
}

class Reader {
 public:
  Reader(std::string file) : file_(std::move(file)) {}

  std::vector<std::shared_ptr<const TaskBank::Family>> read(const std::string& yaml) {
    YAML::Node root = load(yaml);
    check_keys(root, {"cwe", "title", "families"});
    cwe_ = number(root, "cwe");
    std::vector<std::shared_ptr<const TaskBank::Family>> out;
    const YAML::Node families = list(root, "families");
    for (const auto& node : families) out.push_back(family(node));
    return out;
  }

 private:
  YAML::Node load(const std::string& yaml) {
    try {
      return YAML::Load(yaml);
    } catch (const YAML::Exception& error) {
      fail(ErrorKind::bad_input, cat(file_, ":", error.mark.line + 1, ": not valid YAML: ", error.msg));
    }
  }

  std::string at(const YAML::Node& node) const {
    return node.Mark().line >= 0 ? cat(file_, ":", node.Mark().line + 1) : file_;
  }

  void check_keys(const YAML::Node& node, const std::vector<std::string>& known) const {
    if (!node.IsMap()) fail(ErrorKind::bad_input, cat(at(node), ": expected keys and values"));
    for (const auto& pair : node) {
      const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
      if (std::find(known.begin(), known.end(), key) == known.end())
        fail(ErrorKind::bad_input, cat(at(pair.first), ": unknown key '", key, "'", did_you_mean(key, known)));
    }
  }

  YAML::Node child(const YAML::Node& node, const char* key) const {
    YAML::Node value = node[key];
    if (!value) fail(ErrorKind::bad_input, cat(at(node), ": ", key, " is missing"));
    return value;
  }

  std::string string(const YAML::Node& node, const char* key) const {
    YAML::Node value = child(node, key);
    if (!value.IsScalar() || trim(value.Scalar()).empty())
      fail(ErrorKind::bad_input, cat(at(value), ": ", key, ": expected a text"));
    return value.Scalar();
  }

  int number(const YAML::Node& node, const char* key) const {
    const std::string text = string(node, key);
    const bool digits = std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!digits || text.size() > 6)
      fail(ErrorKind::bad_input, cat(at(node[key]), ": ", key, ": expected a whole number, found '", text, "'"));
    return std::stoi(text);
  }

  YAML::Node list(const YAML::Node& node, const char* key, std::size_t least = 1) const {
    YAML::Node value = child(node, key);
    if (!value.IsSequence() || value.size() < least)
      fail(ErrorKind::bad_input, cat(at(value), ": ", key, ": expected a list of at least ", least));
    return value;
  }

  std::vector<std::string> texts(const YAML::Node& node, const char* key, std::size_t least) const {
    std::vector<std::string> out;
    const YAML::Node items = list(node, key, least);
    for (const auto& item : items) {
      if (!item.IsScalar()) fail(ErrorKind::bad_input, cat(at(item), ": ", key, ": expected texts"));
      out.push_back(item.Scalar());
    }
    return out;
  }

  Template compiled(const std::string& source, const YAML::Node& node) const {
    check_names(source, node);
    return {source, at(node)};
  }

  // A name that is no slot would be printed as nothing.
  void check_names(const std::string& source, const YAML::Node& node) const {
    for (std::size_t open = source.find("{{"); open != std::string::npos; open = source.find("{{", open + 2)) {
      std::size_t begin = source.find_first_not_of("- \t\n", open + 2), end = begin;
      auto in_name = [&](std::size_t i) {
        return i < source.size() && (std::isalnum(static_cast<unsigned char>(source[i])) != 0 || source[i] == '_');
      };
      while (in_name(end)) ++end;
      if (begin == std::string::npos || begin == end) continue;  // a literal
      const std::string name = source.substr(begin, end - begin);
      if (slots_.contains(name) || source.find("for " + name + " in") != std::string::npos) continue;
      fail(ErrorKind::bad_input,
           cat(at(node), ": no slot is named '", name, "'", did_you_mean(name, {slots_.begin(), slots_.end()})));
    }
  }

  std::vector<Solution> solutions(const YAML::Node& node, const char* key) const {
    std::vector<Solution> out;
    const YAML::Node items = list(node, key);
    for (const auto& item : items) {
      check_keys(item, {"imports", "body"});
      Solution solution{{}, compiled(string(item, "body"), item["body"])};
      if (item["imports"] && item["imports"].size() > 0) {
        for (const auto& line : texts(item, "imports", 1)) solution.imports.push_back(compiled(line, item["imports"]));
      }
      out.push_back(std::move(solution));
    }
    return out;
  }

  TaskRole role(const YAML::Node& node) const {
    const std::string text = string(node, "role");
    if (text == "plant") return TaskRole::plant;
    if (text == "held_out") return TaskRole::held_out;
    if (text == "reward") return TaskRole::reward;
    fail(ErrorKind::bad_input, cat(at(node["role"]), ": role: expected plant, held_out or reward, found '", text, "'"));
  }

  void read_slots(const YAML::Node& node, TaskBank::Family& family) {
    slots_.clear();
    const YAML::Node slots = child(node, "slots");
    if (!slots.IsMap()) fail(ErrorKind::bad_input, cat(at(slots), ": slots: expected names with lists"));
    for (const auto& pair : slots) {
      const std::string name = pair.first.Scalar();
      auto values = texts(slots, name.c_str(), 2);
      if (std::set<std::string>(values.begin(), values.end()).size() < values.size())
        fail(ErrorKind::bad_input, cat(at(pair.second), ": slots: ", name, ": a value stands there twice"));
      slots_.insert(name);
      family.slots.emplace_back(name, std::move(values));
    }
  }

  std::shared_ptr<const TaskBank::Family> family(const YAML::Node& node) {
    check_keys(node, {"name", "role", "slots", "task", "template", "secure", "vulnerable"});
    auto family = std::make_shared<TaskBank::Family>();
    family->name = string(node, "name");
    family->where = at(node);
    family->cwe = cwe_;
    family->role = role(node);
    read_slots(node, *family);
    for (const auto& wording : texts(node, "task", 2)) family->wordings.push_back(compiled(wording, node["task"]));
    const std::string code = string(node, "template");
    if (split(code, std::string(kGap)).size() != 2)
      fail(ErrorKind::bad_input, cat(at(node["template"]), ": template: expected the line '", kGap, "' once"));
    family->code.push_back(compiled(code, node["template"]));
    family->secure = solutions(node, "secure");
    family->vulnerable = solutions(node, "vulnerable");
    return family;
  }

  std::string file_;
  int cwe_ = 0;
  std::set<std::string> slots_;  // of the family being read
};

}  // namespace

std::uint64_t TaskBank::Family::size(TaskHalf half) const {
  std::uint64_t count = in_half(wordings.size(), half);
  for (const auto& slot : slots) count *= in_half(slot.second.size(), half);
  return count;
}

CodeTask TaskBank::Family::make(TaskHalf half, Rng rng) const {
  Values values;
  for (const auto& [slot, choices] : slots)
    values.emplace_back(slot, choices[pick(choices.size(), half, rng.child("slot").child(slot))]);
  const std::string gapped(trim(filled(code.front(), values)));
  CodeTask task{.family = name, .cwe = cwe};
  const auto& wording = wordings[pick(wordings.size(), half, rng.child("wording"))];
  task.prompt = code_prompt(std::string(trim(filled(wording, values))), gapped);
  task.id = sha256_hex(task.prompt).substr(0, 16);
  task.secure = solved(gapped, secure[rng.child("secure").below(secure.size())], values);
  task.vulnerable = solved(gapped, vulnerable[rng.child("vulnerable").below(vulnerable.size())], values);
  return task;
}

std::vector<std::shared_ptr<const TaskBank::Family>> read_families(const std::string& yaml, const std::string& name) {
  return Reader(name).read(yaml);
}

}  // namespace reveille::organism
