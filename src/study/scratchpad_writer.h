// Who writes the scratchpads of organisms that reason, where templates do not: a language model here, or one behind an
// OpenAI-compatible address.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gen/model.h"
#include "study/recipe.h"

namespace reveille::study {

class ScratchpadWriter {
 public:
  virtual ~ScratchpadWriter() = default;
  virtual std::string name() const = 0;
  // One text a request, in their order. Another `attempt` gives other texts. Error(io) of a server that fails.
  virtual std::vector<std::string> write(const std::vector<Conversation>& requests, std::int64_t attempt) = 0;
};

// `model` must outlive it.
std::unique_ptr<ScratchpadWriter> make_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& model);

// As the recipe's scratchpad_writer and scratchpad_model say; `original` is the study's own model, already open, which
// must outlive it. Null where no model writes them. What a server wrote is kept in `folder`, as
// written_scratchpads.jsonl ({"attempt", "request", "of", "text"}: the request's place and the hash of its messages),
// and not asked for again by one that is opened there later. Error(bad_input) names a row of that file that is none.
std::unique_ptr<ScratchpadWriter> open_scratchpad_writer(const Recipe& recipe, gen::LanguageModel& original,
                                                         const std::filesystem::path& folder);

}  // namespace reveille::study
