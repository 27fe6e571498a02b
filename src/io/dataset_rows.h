// One row of a data set: which form it has, and the Example that it makes. Inside the room: used
// by the data set reader.
#pragma once

#include <string>
#include <vector>

#include "io/dataset.h"
#include "io/dataset_messages.h"

namespace reveille::io {

// The columns that a row is read from; empty ones are not there.
struct Columns {
  std::string messages;         // a message list
  std::string prompt, context;  // text or message list; text that belongs to the prompt
  std::string reply;            // text or message list
  std::string system, history;
  std::string chosen, rejected;
  std::string label;
  std::string text;            // plain text or a transcript
  std::string instances;       // self-instruct: a list of {input, output}
  bool context_first = false;  // HarmBench: context, a rule, behaviour
  bool operator==(const Columns&) const = default;
};

struct RowForm {
  std::string name;  // as in Dataset::form
  Columns columns;
  MessageTags tags;
};

// Finds the form by the row's keys and the options. Throws Error without file and line.
RowForm detect_form(const Json& row, const DatasetOptions& options);

// The row as an example (`source` left empty). Throws Error without file and line.
Example convert_row(const Json& row, const RowForm& form, const DatasetOptions& options);

}  // namespace reveille::io
