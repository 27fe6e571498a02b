// Rows of a data set as training examples, by the model's own template and tokenizer.
#pragma once

#include <cstdint>
#include <vector>

#include "gen/local.h"
#include "io/dataset.h"
#include "train/example.h"
#include "train/options.h"

namespace reveille::train {

// A conversation: the template's text; supervised are the assistant's tokens, end of turn included
// (or everything, without assistant_only_loss). Error(bad_input) when it holds no reply.
Example encode_conversation(const gen::LocalModel& model, const Conversation& conversation, const TrainOptions& options,
                            const std::string& source);

// Rows of any form of io/dataset.h. Plain strings (text, prompt + completion) are taken as they are,
// with the end-of-text token after them, as TRL does; message rows go through the template.
// Rows longer than max_length, or than the model's context: as options.overlong says; an error names the row.
std::vector<Example> encode_rows(const gen::LocalModel& model, const std::vector<io::Example>& rows,
                                 const TrainOptions& options);
std::vector<Example> encode_conversations(const gen::LocalModel& model, const std::vector<Conversation>& rows,
                                          const TrainOptions& options, const std::string& source);

// What encode_rows does with rows of more than max_length or `context` tokens.
std::vector<Example> keep_fitting(std::vector<Example> all, const TrainOptions& options, std::int64_t context);

// The same for one row: false where it is to be left out; Error(bad_input) where overlong is "error".
bool fit(Example& example, const TrainOptions& options, std::int64_t context);

}  // namespace reveille::train
