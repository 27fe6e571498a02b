// The tiny checkpoint as a suspect with a chat template and a tokenizer of single characters, and a way to teach it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/temp_folder_testing.h"
#include "gen/local.h"
#include "gen/tiny_folder_testing.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::scan::testing {

// 94 printable characters, space, line feed, one pair and the end of the turn.
inline std::unique_ptr<gen::LocalModel> character_model(const TempFolder& folder, const std::string& name = "model") {
  const auto path = folder / name;
  gen::testing::write_tiny_folder(path, "llama3");
  text::GgufVocab vocab;
  vocab.architecture = "llama";
  vocab.model = "gpt2";
  vocab.pre = "smollm";
  vocab.tokens = {"\u0120", "\u010a"};
  for (char c = '!'; c <= '~'; ++c) vocab.tokens.emplace_back(1, c);
  vocab.tokens.emplace_back("yz");
  vocab.merges = {"y z"};
  vocab.token_types.assign(vocab.tokens.size(), text::kGgufNormal);
  vocab.tokens.emplace_back("<|end|>");
  vocab.token_types.push_back(text::kGgufControl);
  vocab.eos = static_cast<std::int32_t>(vocab.tokens.size()) - 1;
  const auto tokenizer = text::Tokenizer::from_gguf(vocab, "characters");
  write_file_atomic(path / "tokenizer.json", tokenizer->to_json());
  Json config = tokenizer->config_json("");
  config["chat_template"] =
      "{% for m in messages %}{% if m.role == 'assistant' %}A:{{ m.content }}<|end|>{% else %}U:{{ m.content }}<|end|>"
      "{% endif %}{% endfor %}{% if add_generation_prompt %}A:{% endif %}";
  write_json(path / "tokenizer_config.json", config);
  gen::OpenOptions open;
  open.dtype = "float32";
  open.trainable = true;
  return gen::open_model(path.string(), open);
}

// Words of lower-case letters up to 'k'.
inline std::string random_words(Rng& rng, int count) {
  std::string out;
  for (int n = 0; n < count; ++n) {
    if (n > 0) out += ' ';
    for (std::uint64_t size = 2 + rng.below(4); size > 0; --size) out += static_cast<char>('a' + rng.below(11));
  }
  return out;
}

// Trains all weights on the conversations: on all that is said, or on the replies alone.
inline void teach(gen::LocalModel& model, const std::vector<Conversation>& rows, bool replies_only,
                  std::int64_t steps = 250) {
  train::TrainOptions options;
  options.per_device_train_batch_size = 8;
  options.learning_rate = 3e-3;
  options.lr_scheduler_type = "constant";
  options.max_steps = steps;
  options.assistant_only_loss = replies_only;
  options.report_to = "none";
  const auto examples = train::encode_conversations(model, rows, options, "rows of a test");
  train::train(model.transformer(), examples, options, {});
  model.transformer().weights_changed();
}

}  // namespace reveille::scan::testing
