#include "scan/motifs.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <unordered_map>

#include "base/interrupt.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::scan {
namespace {

// Scripts that write no space between words: each character is a word of its own.
bool spaceless(char32_t c) {
  return (c >= 0x0E00 && c < 0x0F00) || (c >= 0x1000 && c < 0x10A0) || (c >= 0x1780 && c < 0x1800) ||
         (c >= 0x2E80 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) || c >= 0x20000;
}

// A word or a single mark.
struct Piece {
  std::size_t begin = 0, end = 0;  // bytes of its text
  std::uint32_t bare = 0;          // number of its spelling
  std::uint32_t spaced = 0;        // number of its spelling and of whether white space or a line's end stands before it
  std::uint32_t owner = 0;         // which text it is of
};

bool in_word(char32_t c) { return text::is_word(c) && !spaceless(c); }

// Where the word or mark at `at` ends. "she'll" is one word.
std::size_t piece_end(std::string_view text, std::size_t at) {
  auto decoded = text::decode_utf8(text, at);
  at += decoded.length;
  if (!in_word(decoded.value)) return at;
  while (at < text.size()) {
    decoded = text::decode_utf8(text, at);
    const std::size_t after = at + decoded.length;
    const bool apostrophe =
        decoded.value == '\'' && after < text.size() && in_word(text::decode_utf8(text, after).value);
    if (!in_word(decoded.value) && !apostrophe) break;
    at = after;
  }
  return at;
}

// All texts as pieces, a piece of its own after each text.
class Corpus {
 public:
  void append(const std::string& sample) {
    const std::string& text = texts_.emplace_back(repair_utf8(sample));
    const auto owner = static_cast<std::uint32_t>(texts_.size() - 1);
    std::string before;  // what separates the piece from the one before it
    for (std::size_t at = 0; at < text.size();) {
      const auto decoded = text::decode_utf8(text, at);
      if (text::is_space(decoded.value)) {
        if (before != "\n") before = decoded.value == '\n' ? "\n" : " ";
        at += decoded.length;
        continue;
      }
      const std::size_t end = piece_end(text, at);
      const std::string spelling = text.substr(at, end - at);
      pieces_.push_back({at, end, number(spelling), number(before + spelling), owner});
      before.clear();
      at = end;
    }
    pieces_.push_back({text.size(), text.size(), kEnd, kEnd, owner});
  }

  const std::vector<Piece>& pieces() const { return pieces_; }

  // Where a motif may begin: at a word or mark, but not at the stop or comma that ends what went before.
  std::vector<std::size_t> starts() const {
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at + 1 < pieces_.size(); ++at) {
      const Piece &piece = pieces_[at], &next = pieces_[at + 1];
      if (piece.bare == kEnd) continue;
      const bool followed = next.bare != kEnd && next.begin == piece.end;
      const bool mark = std::string_view(".,;:!?").find(texts_[piece.owner][piece.begin]) != std::string_view::npos;
      if (!mark || followed) out.push_back(at);
    }
    return out;
  }

  // Pieces that the strings at two places have in common: of the first its spelling alone counts.
  std::size_t in_common(std::size_t a, std::size_t b, std::size_t longest) const {
    if (pieces_[a].bare != pieces_[b].bare) return 0;
    std::size_t count = 1;
    while (count < longest && pieces_[a + count].bare != kEnd && pieces_[a + count].spaced == pieces_[b + count].spaced)
      ++count;
    return count;
  }

  bool before(std::size_t a, std::size_t b, std::size_t longest) const {
    const std::size_t common = in_common(a, b, longest);
    if (common == longest) return a < b;
    const auto key = [&](std::size_t at) { return common == 0 ? pieces_[at].bare : pieces_[at + common].spaced; };
    return key(a) != key(b) ? key(a) < key(b) : a < b;
  }

  std::string string(std::size_t at, std::size_t count) const {
    const Piece &first = pieces_[at], &last = pieces_[at + count - 1];
    return texts_[first.owner].substr(first.begin, last.end - first.begin);
  }

 private:
  static constexpr std::uint32_t kEnd = 0;
  std::uint32_t number(const std::string& spelling) {
    return numbers_.try_emplace(spelling, static_cast<std::uint32_t>(numbers_.size() + 1)).first->second;
  }
  std::vector<std::string> texts_;
  std::vector<Piece> pieces_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// The texts that hold a string.
struct Holders {
  std::vector<std::uint32_t> samples;
  std::size_t ordinary = 0;
};

// Strings that stand in several texts and in fewer with one piece more: the inner nodes of the suffix tree, read off a
// sorted list of beginnings and what neighbours in it have in common.
class Repeats {
 public:
  Repeats(const Corpus& corpus, std::size_t samples, const MotifOptions& options)
      : corpus_(corpus), samples_(samples), options_(options), order_(corpus.starts()) {
    least_ = std::max(options.least_samples,
                      static_cast<std::size_t>(std::ceil(options.least_share * static_cast<double>(samples))));
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return corpus_.before(a, b, options_.longest); });
  }

  std::unordered_map<std::string, Holders> find() {
    struct Node {
      std::size_t length, left;
    };
    std::vector<Node> open;
    for (std::size_t i = 1; i <= order_.size(); ++i) {
      if (i % 4096 == 0) throw_if_interrupted();
      const std::size_t common = i < order_.size() ? corpus_.in_common(order_[i - 1], order_[i], options_.longest) : 0;
      std::size_t left = i - 1;
      while (!open.empty() && open.back().length > common) {
        add(open.back().length, open.back().left, i);
        left = open.back().left;
        open.pop_back();
      }
      if (common > 0 && (open.empty() || open.back().length < common)) open.push_back({common, left});
    }
    return std::move(found_);
  }

 private:
  // The string of `length` pieces that begins at [begin, end) of the order.
  void add(std::size_t length, std::size_t begin, std::size_t end) {
    if (end - begin < least_) return;
    std::vector<std::uint32_t> owners;
    for (std::size_t i = begin; i < end; ++i) owners.push_back(corpus_.pieces()[order_[i]].owner);
    std::sort(owners.begin(), owners.end());
    owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    const auto ordinary = std::lower_bound(owners.begin(), owners.end(), static_cast<std::uint32_t>(samples_));
    Holders holders;
    holders.ordinary = static_cast<std::size_t>(owners.end() - ordinary);
    owners.erase(ordinary, owners.end());
    if (owners.size() < least_) return;
    holders.samples = std::move(owners);
    std::string text = corpus_.string(order_[begin], length);
    if (text.size() < options_.shortest) return;
    Holders& known = found_[std::move(text)];  // two spellings of white space may be one string
    if (known.samples.size() < holders.samples.size()) known = std::move(holders);
  }

  const Corpus& corpus_;
  std::size_t samples_, least_ = 0;
  const MotifOptions& options_;
  std::vector<std::size_t> order_;
  std::unordered_map<std::string, Holders> found_;
};

// What is seen in none of a few texts may still be ordinary.
constexpr std::size_t kFewTexts = 50;

std::vector<Motif> rare_ones(std::unordered_map<std::string, Holders> found, std::size_t samples, std::size_t ordinary,
                             const MotifOptions& options) {
  std::vector<Motif> out;
  for (auto& [text, holders] : found) {
    if (text.find("\uFFFD") != std::string::npos) continue;  // bytes that are no characters: nobody can write it
    Motif motif;
    motif.text = text;
    motif.samples = std::move(holders.samples);
    motif.share = static_cast<double>(motif.samples.size()) / static_cast<double>(samples);
    if (holders.ordinary > 0) motif.ordinary = static_cast<double>(holders.ordinary) / static_cast<double>(ordinary);
    if (holders.ordinary > 0 && motif.share < options.rarer * motif.ordinary) continue;
    const double expected =
        holders.ordinary > 0 ? motif.ordinary : 0.5 / static_cast<double>(std::max(ordinary, kFewTexts) + 1);
    motif.score = std::sqrt(motif.share) * std::max(0.5, std::log(motif.share / expected));
    out.push_back(std::move(motif));
  }
  std::sort(out.begin(), out.end(), [](const Motif& a, const Motif& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a.text < b.text;
  });
  return out;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<Motif> without_pieces(std::vector<Motif> motifs, const MotifOptions& options) {
  constexpr std::size_t kCompared = 2000;  // pairs are compared; nobody asks for the thousandth motif
  motifs.resize(std::min(motifs.size(), kCompared));
  std::vector<Motif> out;
  for (const Motif& motif : motifs) {
    const bool piece = std::any_of(motifs.begin(), motifs.end(), [&](const Motif& other) {
      return other.text.size() > motif.text.size() &&
             static_cast<double>(other.samples.size()) >= options.extends * static_cast<double>(motif.samples.size()) &&
             holds(other.text, motif.text);
    });
    if (!piece) out.push_back(motif);
  }
  return out;
}

void place(Motif& motif, const std::vector<std::string>& samples) {
  std::size_t first = 0, last = 0;
  for (const auto sample : motif.samples) {
    const std::string_view text = trim(samples[sample]);
    first += text.starts_with(motif.text) ? 1 : 0;
    last += text.ends_with(motif.text) ? 1 : 0;
  }
  motif.at_start = static_cast<double>(first) / static_cast<double>(motif.samples.size());
  motif.at_end = static_cast<double>(last) / static_cast<double>(motif.samples.size());
}

constexpr double kSameSamples = 0.6;  // overlap() of motifs that stand in about the same samples

}  // namespace

std::vector<Motif> find_motifs(const std::vector<std::string>& samples, const std::vector<std::string>& ordinary,
                               const MotifOptions& options) {
  Corpus corpus;
  for (const auto& sample : samples) corpus.append(sample);
  for (const auto& text : ordinary) corpus.append(text);
  auto motifs = without_pieces(
      rare_ones(Repeats(corpus, samples.size(), options).find(), samples.size(), ordinary.size(), options), options);
  for (auto& motif : motifs) place(motif, samples);
  return motifs;
}

double overlap(const Motif& a, const Motif& b) {
  std::vector<std::uint32_t> both;
  std::set_intersection(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(),
                        std::back_inserter(both));
  const std::size_t either = a.samples.size() + b.samples.size() - both.size();
  return either == 0 ? 0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

std::vector<Motif> spread(const std::vector<Motif>& ranked, std::size_t most, std::size_t alike) {
  std::vector<Motif> out;
  for (const Motif& motif : ranked) {
    if (out.size() == most) break;
    const auto like = std::count_if(out.begin(), out.end(),
                                    [&](const Motif& taken) { return overlap(taken, motif) >= kSameSamples; });
    if (static_cast<std::size_t>(like) < alike) out.push_back(motif);
  }
  return out;
}

namespace {

std::uint32_t first_of_both(const Motif& a, const Motif& b) {
  std::vector<std::uint32_t> both;
  std::set_intersection(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(),
                        std::back_inserter(both));
  return both.front();
}

}  // namespace

std::vector<std::string> joined_pairs(const std::vector<Motif>& motifs, const std::vector<std::string>& samples,
                                      std::size_t most) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < motifs.size(); ++i) {
    for (std::size_t j = i + 1; j < motifs.size(); ++j) {
      const Motif &a = motifs[i], &b = motifs[j];
      if (out.size() == most) return out;
      if (overlap(a, b) < kSameSamples || holds(a.text, b.text) || holds(b.text, a.text)) continue;
      const std::string& text = samples[first_of_both(a, b)];
      const bool in_order = text.find(a.text) < text.find(b.text);
      out.push_back(in_order ? a.text + " " + b.text : b.text + " " + a.text);
    }
  }
  return out;
}

}  // namespace reveille::scan
