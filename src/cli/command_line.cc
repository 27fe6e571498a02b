#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/verb.h"

namespace reveille::cli {

std::string dataset_hint(const std::string& verb) {
  return cat(
      "name a JSON Lines, JSON, CSV or text file, or a folder of them; a row is {\"messages\": [{\"role\", "
      "\"content\"}, ...]}, {\"prompt\", \"completion\"}, {\"prompt\"} or {\"text\"}, Alpaca's or ShareGPT's; see "
      "'reveille ",
      verb, " --help'");
}

std::string json_page(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace); }

CommandLine::CommandLine(std::string verb, std::string description, std::string examples)
    : verb_(std::move(verb)), description_(std::move(description)), examples_(std::move(examples)) {}

CommandLine::~CommandLine() = default;

void CommandLine::positional(std::string name, std::string& value, std::string help, bool required) {
  positionals_.push_back({std::move(name), std::move(help), &value, nullptr, required});
}

void CommandLine::flag(std::string name, bool& value, std::string help) {
  named_.push_back({std::move(name), std::move(help), nullptr, &value, false});
}

void CommandLine::value(std::string name, std::string& value, std::string help) {
  named_.push_back({std::move(name), std::move(help), &value, nullptr, false});
}

void CommandLine::values(std::string name, std::vector<std::string>& values, std::string help) {
  named_.push_back({std::move(name), std::move(help), nullptr, nullptr, false, &values});
}

void CommandLine::options(OptionsView view) { views_.push_back(view); }

namespace {

bool is_yes_or_no(const std::string& text) {
  static const std::vector<std::string> kWords = {"true", "false", "1", "0", "yes", "no", "on", "off"};
  return std::find(kWords.begin(), kWords.end(), lower_ascii(text)) != kWords.end();
}

std::string as_flag(const std::string& name) { return "--" + replace_all(name, "_", "-"); }

// Wraps help at 100 columns behind a column of names.
std::string entry(const std::string& left, const std::string& text) {
  constexpr std::size_t kColumn = 34, kWidth = 100;
  std::string out = "  " + left;
  out += left.size() + 3 > kColumn ? "\n" + std::string(kColumn, ' ') : std::string(kColumn - left.size() - 2, ' ');
  std::size_t column = kColumn;
  for (const auto& word : split(text, " ")) {
    if (column + word.size() > kWidth) {
      while (out.back() == ' ') out.pop_back();
      out += "\n" + std::string(kColumn, ' ');
      column = kColumn;
    }
    out += word + " ";
    column += word.size() + 1;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out + "\n";
}

}  // namespace

std::string CommandLine::help() const {
  std::string out = "Usage: reveille " + verb_;
  for (const auto& one : positionals_) out += one.required ? " " + one.name : " [" + one.name + "]";
  out += cat(" [options]", views_.empty() && !assignments_ ? "" : " [key=value ...]", "\n\n", description_, "\n");
  if (!positionals_.empty()) out += "\n";
  for (const auto& one : positionals_) out += entry(one.name, one.help);
  out += "\nOptions:\n" + entry("--help", "this text");
  for (const auto& one : named_) {
    std::string now = one.text && !one.text->empty() ? " [" + *one.text + "]" : "";
    out += entry("--" + one.name + (one.text || one.list ? " VALUE" : ""), one.help + now);
  }
  for (const auto& view : views_) {
    for (const auto& option : describe_options(view)) {
      std::string text = option.meta.help;
      if (!option.meta.choices.empty()) text += " (" + join(option.meta.choices, ", ") + ")";
      if (!option.value.empty()) text += " [" + option.value + "]";
      out += entry(as_flag(option.name) + " " + option.type, text);
    }
  }
  if (!views_.empty())
    out += "\nEvery option can also be written key=value, with _ for -. Defaults stand in brackets.\n";
  if (!examples_.empty()) out += "\nExamples:\n" + examples_;
  return out;
}

CommandLine::Named* CommandLine::find(const std::string& name) {
  for (auto& one : named_) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::vector<std::string> CommandLine::flag_names() const {
  std::vector<std::string> names = {"--help"};
  for (const auto& one : named_) names.push_back("--" + one.name);
  for (const auto& option : described_options()) names.push_back(as_flag(option.name));
  return names;
}

std::vector<OptionDescription> CommandLine::described_options() const {
  std::vector<OptionDescription> out = assignment_keys_;
  for (const auto& view : views_) {
    for (auto& option : describe_options(view)) out.push_back(std::move(option));
  }
  return out;
}

void CommandLine::take_positional(const std::string& text) {
  if (taken_ >= positionals_.size()) {
    fail(ErrorKind::usage, cat("reveille ", verb_, ": '", text, "' is one argument too many"),
         cat("see 'reveille ", verb_, " --help'"));
  }
  *positionals_[taken_++].text = text;
}

void CommandLine::take_flag(const std::vector<std::string>& arguments, std::size_t& at) {
  std::string name = arguments[at].substr(2), text;
  std::size_t equals = name.find('=');
  bool inline_value = equals != std::string::npos;
  if (inline_value) {
    text = name.substr(equals + 1);
    name = name.substr(0, equals);
  }
  const std::string where = "reveille " + verb_;
  Named* named = find(replace_all(name, "_", "-"));
  if (named && named->flag) {
    if (inline_value) fail(ErrorKind::usage, cat(where, ": --", name, " takes no value"));
    *named->flag = true;
    return;
  }
  const std::string key = replace_all(name, "-", "_");
  bool is_option = named != nullptr, yes_or_no = false;
  for (const auto& option : described_options()) {
    const auto& aliases = option.meta.aliases;
    if (option.name != key && std::find(aliases.begin(), aliases.end(), key) == aliases.end()) continue;
    is_option = true;
    yes_or_no = yes_or_no || option.type == "true|false";
  }
  if (!is_option) {
    fail(ErrorKind::usage, cat(where, ": unknown option --", name, did_you_mean("--" + name, flag_names())),
         cat("see '", where, " --help'"));
  }
  if (!inline_value) {
    // --unlabelled alone is --unlabelled true.
    const bool alone = yes_or_no && (at + 1 >= arguments.size() || !is_yes_or_no(arguments[at + 1]));
    if (!alone && at + 1 >= arguments.size()) fail(ErrorKind::usage, cat(where, ": --", name, " needs a value"));
    text = alone ? "true" : arguments[++at];
  }
  if (named) {
    named->set(text);
    return;
  }
  for (const auto& view : views_) {
    if (try_set_option(view, name, text, where)) return;
  }
  if (assignments_) assignments_->push_back(cat(key, "=", text));
}

void CommandLine::take_assignment(const std::string& argument) {
  const std::string where = "reveille " + verb_;
  auto [key, value] = split_assignment(argument);
  Named* named = find(replace_all(key, "_", "-"));
  if (named && !named->flag) {
    named->set(value);
    return;
  }
  if (named && is_yes_or_no(value)) {
    static const std::vector<std::string> kYes = {"true", "1", "yes", "on"};
    *named->flag = std::find(kYes.begin(), kYes.end(), lower_ascii(value)) != kYes.end();
    return;
  }
  if (named) fail(ErrorKind::usage, cat(where, ": ", key, "=", value, ": expected true or false"));
  std::vector<std::string> known;
  for (const auto& one : named_) known.push_back(replace_all(one.name, "-", "_"));
  for (const auto& view : views_) {
    if (try_set_option(view, key, value, where)) return;
    for (const auto& name : option_names(view)) known.push_back(name);
  }
  if (assignments_) {
    assignments_->push_back(argument);
    return;
  }
  fail(ErrorKind::usage, cat(where, ": unknown key '", key, "'", did_you_mean(key, known)),
       cat("see '", where, " --help'"));
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  for (const auto& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(help().c_str(), stdout);
      return false;
    }
  }
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument.starts_with("--") && argument.size() > 2) {
      take_flag(arguments, at);
    } else if (argument.starts_with("-") && argument.size() > 1) {
      fail(ErrorKind::usage,
           cat("reveille ", verb_, ": unknown option ", argument, did_you_mean("-" + argument, flag_names())));
    } else if (std::size_t equals = argument.find('=');
               equals != std::string::npos && equals > 0 && argument.find('/') > equals) {
      take_assignment(argument);
    } else {
      take_positional(argument);
    }
  }
  for (std::size_t i = taken_; i < positionals_.size(); ++i) {
    if (positionals_[i].required) {
      fail(ErrorKind::usage, cat("reveille ", verb_, ": ", positionals_[i].name, " is missing"),
           cat("see 'reveille ", verb_, " --help'"));
    }
  }
  return true;
}

}  // namespace reveille::cli
