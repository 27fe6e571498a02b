// Small text helpers that several rooms need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reveille {

std::vector<std::string> split(std::string_view text, std::string_view separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower_ascii(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// Levenshtein distance in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the smallest edit distance, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);
// A word as a shell takes it whole: quoted unless it is plain.
std::string shell_word(const std::string& text);
// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

// Replaces every invalid UTF-8 sequence by U+FFFD (as Python's errors="replace" does).
std::string repair_utf8(std::string_view text);
bool is_utf8(std::string_view text);

// 1234567 -> "1,234,567"; seconds -> "3m 07s"; bytes -> "1.5 GiB".
std::string with_commas(long long value);
std::string human_seconds(double seconds);
std::string human_bytes(double bytes);
// Fixed number of decimals: fixed(0.5, 2) = "0.50".
std::string fixed(double value, int decimals);

}  // namespace reveille
