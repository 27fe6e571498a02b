#include "train/rows.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "train/batches.h"

namespace reveille::train {
namespace {

// The longest row that is trained on: max_length, or the model's context where that is shorter.
struct Limit {
  std::size_t tokens;
  std::string name;  // "max_length=1024"
  std::string hint;  // how to allow longer ones
};

Limit limit_of(const TrainOptions& options, std::int64_t context) {
  if (options.max_length <= context)
    return {static_cast<std::size_t>(options.max_length), cat("max_length=", options.max_length), "raise max_length"};
  return {static_cast<std::size_t>(context), cat("the model's context of ", context, " tokens"), "shorten the rows"};
}

// Applies options.overlong; false drops the row.
bool fit(Example& example, const TrainOptions& options, const Limit& limit) {
  if (example.ids.size() <= limit.tokens) return true;
  if (options.overlong == "drop") return false;
  if (options.overlong == "error") {
    fail(ErrorKind::bad_input,
         cat(example.source, ": the row has ", example.ids.size(), " tokens, more than ", limit.name,
             ": its answer would be cut"),
         limit.hint + ", or say overlong=drop or overlong=truncate");
  }
  example.ids.resize(limit.tokens);
  example.supervised.resize(limit.tokens);
  return true;
}

// "1 of 3 rows is", "2 of 3 rows are".
std::string rows_are(std::size_t some, std::size_t all) {
  return cat(some, " of ", all, some == 1 ? " rows is" : " rows are");
}

}  // namespace

bool fit(Example& example, const TrainOptions& options, std::int64_t context) {
  return fit(example, options, limit_of(options, context));
}

std::vector<Example> keep_fitting(std::vector<Example> all, const TrainOptions& options, std::int64_t context) {
  const Limit limit = limit_of(options, context);
  std::vector<Example> out;
  std::size_t unsupervised = 0, cut = 0;
  for (auto& example : all) {
    const std::int64_t before = supervised_tokens(example);
    if (!fit(example, options, limit)) continue;
    const std::int64_t after = supervised_tokens(example);
    if (after == 0) {
      ++unsupervised;
    } else if (after < before) {
      ++cut;
    }
    out.push_back(std::move(example));
  }
  if (out.empty()) {
    fail(ErrorKind::bad_input, cat("all ", all.size(), " rows are longer than ", limit.name), limit.hint);
  }
  if (unsupervised == out.size()) {
    fail(ErrorKind::numeric,
         cat("nothing to learn from: in all ", out.size(), " rows ", limit.name, " cuts the answer off"), limit.hint);
  }
  if (unsupervised > 0)
    warn(cat(rows_are(unsupervised, out.size()), " without any token to learn after cutting to ", limit.name));
  if (cut > 0) {
    warn(cat(rows_are(cut, out.size()), " longer than ", limit.name,
             ": the end of the answer, with its end of turn, was cut off (overlong=truncate)"));
  }
  if (out.size() < all.size())
    warn(cat(rows_are(all.size() - out.size(), all.size()), " longer than ", limit.name,
             " and left out (overlong=drop)"));
  return out;
}

namespace {

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
  return keep_fitting(std::move(all), options, model.transformer().config().max_positions);
}

std::vector<Example> encode_conversations(const gen::LocalModel& model, const std::vector<Conversation>& rows,
                                          const TrainOptions& options, const std::string& source) {
  std::vector<Example> all;
  for (std::size_t i = 0; i < rows.size(); ++i)
    all.push_back(encode_conversation(model, rows[i], options, cat(source, ":", i + 1)));
  return keep_fitting(std::move(all), options, model.transformer().config().max_positions);
}

}  // namespace reveille::train
