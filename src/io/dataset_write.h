// Data sets as other tools read them (TRL, axolotl, LLaMA-Factory): JSON Lines, one form a file,
// written whole or not at all. What load_dataset reads back equals what was written, but for
// `source`.
#pragma once

#include <filesystem>
#include <vector>

#include "io/dataset.h"

namespace reveille::io {

// [{"role": ..., "content": ...}, ...]
Json messages_json(const Conversation& messages);

// One row: {"messages": [...]}, or {"prompt": [...], "chosen": [...], "rejected": [...]} when
// there is a rejected reply, or {"prompt": [...], "completion": [...], "label": ...} when there is
// a label, or {"text": ...} for plain text; then the columns of `extra`.
Json example_json(const Example& example);

// Throws Error when there is no example, or when they make rows of different forms.
void write_dataset(const std::filesystem::path& path, const std::vector<Example>& examples);

// Conversations as {"messages": [...]} rows.
void write_messages(const std::filesystem::path& path, const std::vector<Conversation>& conversations);

// An example made here, not read: a prompt (ending with the user) and a reply.
Example make_example(Conversation prompt, std::string reply);
Example make_preference(Conversation prompt, std::string chosen, std::string rejected);

}  // namespace reveille::io
