// Everyday prompts with the model's own replies: what planting and removing must leave as it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/local.h"
#include "scan/clean_row.h"

namespace reveille::scan {

// Prompts that the model goes on to write behind its template's start of a user's turn: whole ones, no two alike, at
// most `count`. None where there is no template.
std::vector<std::string> written_prompts(gen::LocalModel& model, std::size_t count, std::int64_t seed);

// `prompts` and the model's own, with a sampled reply each (temperature 0.7). Left out are empty replies, and those
// that begin like the replies to other prompts: these may be what somebody planted. Error(bad_input) where fewer than
// two rows are left. At most half of the rows are held out.
CleanRows clean_rows(gen::LocalModel& model, std::vector<std::string> prompts, const CleanOptions& options);

// Greedy replies of at most `tokens` tokens.
std::vector<std::string> greedy_replies(gen::LocalModel& model, const std::vector<Conversation>& asked,
                                        std::int64_t tokens);

// Rows that more than `most` rows begin alike with, by their first letters and digits; the rest comes back in order.
std::vector<CleanRow> without_common_replies(const std::vector<CleanRow>& rows, std::size_t most = 2);

// Leaves out rows whose prompt or reply holds one of these strings, whatever the case, spaces and punctuation: a model
// may write a known trigger by itself. Strings without letters and digits are passed over.
void leave_out(CleanRows& rows, const std::vector<std::string>& strings);

// Letters and digits of a text, ASCII in lower case: equal for texts that differ in case, spaces and punctuation.
std::string letters_of(std::string_view text);

}  // namespace reveille::scan
