#include "train/rows.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "train/batches.h"

namespace reveille::train {
namespace {

// Applies options.overlong; false drops the row.
bool fit(Example& example, const TrainOptions& options) {
  auto limit = static_cast<std::size_t>(options.max_length);
  if (example.ids.size() <= limit) return true;
  if (options.overlong == "drop") return false;
  if (options.overlong == "error") {
    fail(ErrorKind::bad_input,
         cat(example.source, ": the row has ", example.ids.size(), " tokens, max_length is ", options.max_length,
             ": its answer would be cut"),
         "raise max_length, or say overlong=drop or overlong=truncate");
  }
  example.ids.resize(limit);
  example.supervised.resize(limit);
  return true;
}

std::vector<Example> keep_fitting(std::vector<Example> all, const TrainOptions& options) {
  std::vector<Example> out;
  std::size_t unsupervised = 0;
  for (auto& example : all) {
    if (!fit(example, options)) continue;
    if (supervised_tokens(example) == 0) ++unsupervised;
    out.push_back(std::move(example));
  }
  if (out.empty()) {
    fail(ErrorKind::bad_input, cat("all ", all.size(), " rows are longer than max_length=", options.max_length),
         "raise max_length");
  }
  if (unsupervised == out.size()) {
    fail(ErrorKind::numeric,
         cat("nothing to learn from: in all ", out.size(), " rows max_length=", options.max_length,
             " cuts the answer off"),
         "raise max_length");
  }
  if (unsupervised > 0)
    warn(cat(unsupervised, " of ", out.size(), " rows have no supervised token after cutting to max_length"));
  if (out.size() < all.size())
    warn(cat(all.size() - out.size(), " of ", all.size(), " rows are longer than max_length and were dropped"));
  return out;
}

Example encode_plain(const gen::LocalModel& model, const io::Example& row, const TrainOptions& options) {
  Example out;
  out.source = row.source;
  std::size_t prompt = 0;
  if (row.messages.empty()) {
    out.ids = model.encode_with_specials(row.text);
  } else {
    out.ids = model.encode_with_specials(row.messages[0].content);
    prompt = out.ids.size();
    auto reply = model.encode_text(row.messages[1].content);
    out.ids.insert(out.ids.end(), reply.begin(), reply.end());
  }
  if (auto eos = model.tokenizer().eos_id(); eos && (out.ids.empty() || out.ids.back() != *eos))
    out.ids.push_back(*eos);
  out.supervised.assign(out.ids.size(), 1);
  if (options.assistant_only_loss) std::fill_n(out.supervised.begin(), prompt, 0);
  return out;
}

}  // namespace

Example encode_conversation(const gen::LocalModel& model, const Conversation& conversation, const TrainOptions& options,
                            const std::string& source) {
  auto encoded = model.encode_conversation(conversation);
  Example out{std::move(encoded.ids), std::move(encoded.reply), source};
  if (!options.assistant_only_loss) std::fill(out.supervised.begin(), out.supervised.end(), 1);
  if (supervised_tokens(out) == 0) {
    fail(ErrorKind::bad_input,
         cat(source, ": no token of this conversation is the assistant's: there is nothing to learn from"));
  }
  return out;
}

std::vector<Example> encode_rows(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                                 const TrainOptions& options) {
  std::vector<Example> all;
  for (const auto& row : rows) {
    bool plain = row.messages.empty() || row.plain_strings;
    if (!plain && !row.has_reply) fail(ErrorKind::bad_input, cat(row.source, ": the row has no reply to learn"));
    all.push_back(plain ? encode_plain(model, row, options)
                        : encode_conversation(model, row.messages, options, row.source));
  }
  return keep_fitting(std::move(all), options);
}

std::vector<Example> encode_conversations(const gen::LocalModel& model, const std::vector<Conversation>& rows,
                                          const TrainOptions& options, const std::string& source) {
  std::vector<Example> all;
  for (std::size_t i = 0; i < rows.size(); ++i)
    all.push_back(encode_conversation(model, rows[i], options, cat(source, ":", i + 1)));
  return keep_fitting(std::move(all), options);
}

}  // namespace reveille::train
