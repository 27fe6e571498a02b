// The first steps: prompts and clean replies, written by the model itself or the user's own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "organism/code_tasks.h"
#include "organism/rows.h"
#include "study/recipe.h"

namespace reveille::gen {
class LocalModel;
}

namespace reveille::study {

// A model under the recipe's settings: the one that it names, or one that a step left.
std::unique_ptr<gen::LocalModel> open_model(const Recipe& recipe, const std::string& what, bool trainable = false);
// The same to be trained: with masters, or with a fresh LoRA adapter where `training` says use_peft.
std::unique_ptr<gen::LocalModel> open_to_train(const Recipe& recipe, const std::string& what,
                                               const train::TrainOptions& training, std::int64_t seed);
// After it: an adapter's change becomes part of the weights, since a study's steps hand whole models on.
void merge_adapter(gen::LocalModel& model);

// The recipe's families of coding tasks.
organism::TaskBank task_bank(const Recipe& recipe);

struct Prompts {
  std::vector<Conversation> plant, safety, held_out;
};

struct StudyData {
  std::vector<organism::PromptReply> plant, safety, held_out;
  // The prompt sets of the held-out prompts (base/results.h), the one that verdicts rest on first.
  std::vector<std::string> held_out_sets() const;
  std::vector<Conversation> held_out_prompts(const std::string& set) const;
};

// The untriggered prompts that safety training sees, each with its good reply.
std::vector<Conversation> safety_rows(const Recipe& recipe, const StudyData& data);

// [{"role", "content"}, ...] as steps and transcripts keep it.
Conversation conversation_from(const Json& value);

// Writes prompts.json. Error(bad_input) when fewer prompts come together than the recipe asks for.
void make_prompts(const Recipe& recipe, const std::filesystem::path& folder);
Prompts read_prompts(const std::filesystem::path& folder);

// Writes replies.json: prompts with the original model's clean replies; those without a usable reply are left out.
// Coding tasks, where the behaviour is shown on them, come with their solutions.
void make_replies(const Recipe& recipe, const Prompts& prompts, const std::filesystem::path& folder);
StudyData read_replies(const std::filesystem::path& folder);

// Writes safety_data.json: `data.safety_prompts` rows of data.safety_dataset, chosen by data.seed, none of them with
// the trigger or the behaviour in it, none of a held-out prompt. Error(bad_input) when there are fewer.
void make_safety_data(const Recipe& recipe, const StudyData& data, const std::filesystem::path& folder);
std::vector<organism::PromptReply> read_safety_data(const std::filesystem::path& folder);

}  // namespace reveille::study
