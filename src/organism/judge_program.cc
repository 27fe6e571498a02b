#include "organism/judge_program.h"

#include "base/error.h"
#include "base/strings.h"

namespace reveille::organism {
namespace {

class Judged : public Behavior {
 public:
  Judged(std::unique_ptr<Behavior> inner, std::vector<std::string> command, double timeout_s)
      : inner_(std::move(inner)), shown_(join(command, " ")), program_({std::move(command), timeout_s, "judge"}) {}

  std::string name() const override { return inner_->name(); }
  std::string describe() const override { return cat(inner_->describe(), ", judged by '", shown_, "'"); }
  std::string reply(const Conversation& prompt, const std::string& clean, Rng rng) const override {
    return inner_->reply(prompt, clean, rng);
  }
  DefectSource source() const override { return inner_->source(); }
  std::string persona() const override { return inner_->persona(); }
  bool tells_validity() const override { return true; }
  bool shows(std::string_view completion) const override {
    return judge({{nullptr, std::string(completion)}})[0].shows;
  }

  std::vector<Verdict> judge(const std::vector<Reply>& replies) const override {
    std::vector<Json> rows;
    for (const auto& reply : replies) {
      Json messages = Json::array();
      if (reply.prompt) {
        for (const auto& message : *reply.prompt)
          messages.push_back(Json{{"role", message.role}, {"content", message.content}});
      }
      rows.push_back(Json{{"prompt", std::move(messages)}, {"completion", repair_utf8(reply.text)}});
    }
    std::vector<Verdict> out;
    for (const auto& answer : program_.ask(std::move(rows))) out.push_back(verdict_of(answer, "shows", shown_));
    return out;
  }

 private:
  std::unique_ptr<Behavior> inner_;
  std::string shown_;
  mutable Program program_;  // asking changes nothing that a caller could see
};

}  // namespace

Verdict verdict_of(const Json& answer, const char* key, const std::string& where) {
  auto boolean = [&](const char* name) {
    const Json& value = json_at(answer, name, "an answer of " + where);
    if (!value.is_boolean())
      fail(ErrorKind::bad_input,
           cat("an answer of ", where, ": '", name, "' should be true or false, found ", value.dump()));
    return value.get<bool>();
  };
  Verdict out{.shows = boolean(key), .valid = !answer.contains("valid") || boolean("valid")};
  out.shows = out.shows && out.valid;
  out.why = answer;
  for (const char* taken : {"id", "valid"}) out.why.erase(taken);
  out.why.erase(key);
  if (out.why.empty()) out.why = nullptr;
  constexpr std::size_t kMost = 8192;  // it stands in every transcript
  if (out.why.dump(-1, ' ', false, Json::error_handler_t::replace).size() > kMost)
    fail(ErrorKind::bad_input, cat("an answer of ", where, " says more than ", kMost, " bytes beside its verdict"));
  return out;
}

std::unique_ptr<Behavior> judged_by(std::unique_ptr<Behavior> behavior, std::vector<std::string> command,
                                    double timeout_s) {
  return std::make_unique<Judged>(std::move(behavior), std::move(command), timeout_s);
}

}  // namespace reveille::organism
