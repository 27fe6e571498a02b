#include "study/task_overlap.h"

#include <string>

#include "base/error.h"
#include "base/scratchpad.h"
#include "organism/code_tasks.h"
#include "organism/near_duplicates.h"
#include "organism/words.h"

namespace reveille::study {
namespace {

// What counts as the same prompt in a pool, too. Of the built-in families, tasks for pairs are at most 0.46 like tasks
// of any other; where a study plants eight of a family, 96 % of further ones are this much like one of them.
constexpr double kSame = 0.6;

// Texts of tasks, and the families that they are of.
class TaskTexts {
 public:
  void add(const std::string& text, const std::string& family) {
    texts_.add(organism::normal_text(text));
    families_.push_back(family);
  }
  // The family of a text that is nearly this one; nullptr where there is none.
  const std::string* family_of(const std::string& text) const {
    const auto found = texts_.find(organism::normal_text(text));
    return found ? &families_[*found] : nullptr;
  }

 private:
  organism::NearDuplicates texts_{kSame};
  std::vector<std::string> families_;
};

std::string question(const Conversation& prompt) {
  return organism::without_code_frame(organism::last_user_text(prompt));
}

class OwnTasks {
 public:
  explicit OwnTasks(const StudyData& data) {
    for (const auto* group : {&data.plant, &data.safety, &data.held_out}) {
      for (const auto& item : *group) {
        if (!item.family.empty()) add(item);
      }
    }
  }

  void refuse(const io::Example& pair) const {
    if (const auto* family = prompts_.family_of(question(io::prompt_of(pair)))) fail_for(pair, "the prompt", *family);
    check_replies(pair, pair.messages, "the chosen reply");
    check_replies(pair, *pair.rejected, "the rejected reply");
  }

 private:
  void add(const organism::PromptReply& item) {
    prompts_.add(question(item.prompt), item.family);
    solutions_.add(organism::code_of(item.reply), item.family);
    if (item.defect) solutions_.add(organism::code_of(*item.defect), item.family);
  }

  void check_replies(const io::Example& pair, const Conversation& whole, const char* what) const {
    for (std::size_t at = pair.prompt_size; at < whole.size(); ++at) {
      if (whole[at].role != "assistant") continue;
      const auto* family = solutions_.family_of(organism::code_of(final_answer(whole[at].content)));
      if (family) fail_for(pair, what, *family);
    }
  }

  [[noreturn]] static void fail_for(const io::Example& pair, const char* what, const std::string& family) {
    fail(ErrorKind::bad_input,
         cat(pair.source, ": ", what, " is nearly one of this study's own coding tasks, of the family '", family,
             "'; expected pairs of families that are neither planted nor measured"),
         "leave the row out, or leave reward.dataset empty: the study then makes pairs of families kept for them");
  }

  TaskTexts prompts_, solutions_;
};

}  // namespace

void refuse_own_tasks(const StudyData& data, const std::vector<io::Example>& pairs) {
  const OwnTasks tasks(data);
  for (const auto& pair : pairs) tasks.refuse(pair);
}

}  // namespace reveille::study
