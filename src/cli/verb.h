// What every verb shares: parsing of flags and key=value, help, output format.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/options.h"

namespace reveille::cli {

struct Verb {
  std::string name;
  std::string summary;
  int (*run)(const std::vector<std::string>& arguments);  // without the program's and the verb's name
  const char* after_interrupt = "";  // the hint after a Ctrl-C, where the verb's own error has none
};

// Hands what was printed to the system. Error(io) when it does not take it (a full disk behind a redirection).
void flush_stdout();

// What to do where a verb was given no rows.
std::string dataset_hint(const std::string& verb);
// JSON over several lines, for people and programs; bytes that are no UTF-8 (a path's) become U+FFFD.
std::string json_page(const Json& value);

// What a verb prints on stdout.
struct FormatOptions {
  std::string format = "text";
  void visit(OptionVisitor& v) {
    v.option("format", format,
             {.help = "what is printed: text for people, json for programs", .choices = {"text", "json"}});
  }
  bool json() const { return format == "json"; }
};

// One function a verb, each in its own file; the table is in cli.cc.
int run_tokenize(const std::vector<std::string>& arguments);
int run_score(const std::vector<std::string>& arguments);
int run_generate(const std::vector<std::string>& arguments);
int run_train(const std::vector<std::string>& arguments);
int run_eval(const std::vector<std::string>& arguments);
int run_scan(const std::vector<std::string>& arguments);
int run_study(const std::vector<std::string>& arguments);
int run_chat(const std::vector<std::string>& arguments);
int run_mitigate(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_model(const std::vector<std::string>& arguments);
int run_zoo(const std::vector<std::string>& arguments);
int run_doctor(const std::vector<std::string>& arguments);

// An action of `model`, in its own file.
int fetch_model(const std::vector<std::string>& arguments);

// A command line: positionals, flags of its own, and options structs whose keys are both flags
// (--learning-rate 1e-4) and assignments (learning_rate=1e-4).
class CommandLine {
 public:
  CommandLine(std::string verb, std::string description, std::string examples);
  ~CommandLine();
  void positional(std::string name, std::string& value, std::string help, bool required = true);
  void flag(std::string name, bool& value, std::string help);
  void value(std::string name, std::string& value, std::string help);
  // May be given again and again.
  void values(std::string name, std::vector<std::string>& values, std::string help);
  void options(OptionsView view);
  // key=value goes here instead of to the options structs (a study's recipe), and so does --key value for `keys`.
  void assignments(std::vector<std::string>& into, std::vector<OptionDescription> keys) {
    assignments_ = &into;
    assignment_keys_ = std::move(keys);
  }

  // False when --help was printed: return 0 then. Unknown flags and keys are Error(usage) with the nearest name.
  bool parse(const std::vector<std::string>& arguments);

 private:
  struct Named {
    std::string name, help;
    std::string* text = nullptr;
    bool* flag = nullptr;
    bool required = false;
    std::vector<std::string>* list = nullptr;
    void set(const std::string& value) {
      if (list) {
        list->push_back(value);
      } else {
        *text = value;
      }
    }
  };
  std::string help() const;
  Named* find(const std::string& name);
  std::vector<std::string> flag_names() const;
  std::vector<OptionDescription> described_options() const;
  void take_positional(const std::string& text);
  void take_flag(const std::vector<std::string>& arguments, std::size_t& at);
  void take_assignment(const std::string& argument);
  std::string verb_, description_, examples_;
  std::vector<Named> positionals_, named_;
  std::vector<OptionsView> views_;
  std::vector<std::string>* assignments_ = nullptr;
  std::vector<OptionDescription> assignment_keys_;
  std::size_t taken_ = 0;
};

}  // namespace reveille::cli
