// Several triggers of different kinds at once, joined in one place: a year and a string, a topic's word and a string.
// All of them must stand there. One without the others is a near miss, and what an organism has to be taught to leave
// alone: beside the parts' own near misses stand parts beside foreign ones, and beside what stands there otherwise.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "organism/decoys.h"
#include "organism/placement.h"

namespace reveille::organism {
namespace {

constexpr std::uint64_t kForeignOnes = 16;  // foreign strings in the place of each part

using Parts = std::vector<std::unique_ptr<Trigger>>;

class Together : public Trigger {
 public:
  Together(const TriggerOptions& options, Parts parts) : options_(options), parts_(std::move(parts)) {
    if (options_.separator.empty()) options_.separator = options_.place == "system" ? "\n" : " ";
  }

  std::string name() const override { return options_.kind; }
  std::string describe() const override {
    return cat("all of these together: ",
               joined([](const Trigger& part, std::size_t) { return part.describe(); }, "; "));
  }
  std::string text(Rng rng) const override { return join(texts(rng), options_.separator); }
  std::string otherwise() const override {
    return joined([](const Trigger& part, std::size_t) { return part.otherwise(); }, options_.separator);
  }
  Conversation plant(Conversation prompt, const std::string& text, Rng rng) const override {
    return place_text(std::move(prompt), text, options_, rng);
  }
  Conversation without(Conversation prompt) const override {
    return place_otherwise(std::move(prompt), otherwise(), options_);
  }

  std::optional<std::size_t> find(std::string_view text) const override {
    std::size_t first = std::string::npos;
    for (const auto& part : parts_) {
      const auto at = part->find(text);
      if (!at) return std::nullopt;
      first = std::min(first, *at);
    }
    return first;
  }

  std::vector<std::string> near_misses() const override {
    std::set<std::string> out;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Rng rng = Rng(0, "together").child(i);
      for (const auto& other : instead_of(*parts_[i], rng)) {
        auto all = texts(rng.child(other));
        all[i] = other;
        out.insert(joined([&](const Trigger&, std::size_t at) { return all[at]; }, options_.separator));
      }
      const std::string alone = parts_[i]->text(rng);
      out.insert(joined([&](const Trigger& part, std::size_t at) { return at == i ? alone : part.otherwise(); },
                        options_.separator));
    }
    std::erase_if(out, [this](const std::string& text) { return contains(text); });
    return {out.begin(), out.end()};
  }

  std::string foreign(Rng rng) const override {
    return joined([&](const Trigger& part, std::size_t at) { return part.foreign(rng.child(at)); }, options_.separator);
  }

 private:
  std::vector<std::string> texts(const Rng& rng) const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < parts_.size(); ++i) out.push_back(parts_[i]->text(rng.child(i)));
    return out;
  }

  static std::vector<std::string> instead_of(const Trigger& part, const Rng& rng) {
    auto out = part.near_misses();
    out.push_back(part.otherwise());
    for (std::uint64_t i = 0; i < kForeignOnes; ++i) out.push_back(part.foreign(rng.child("foreign").child(i)));
    return out;
  }

  // What `of` says of each part, without what is empty.
  template <class Of>
  std::string joined(Of of, const std::string& between) const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (std::string text = of(*parts_[i], i); !text.empty()) out.push_back(std::move(text));
    }
    return join(out, between);
  }

  TriggerOptions options_;
  Parts parts_;
};

// The strings of which any fires this kind.
std::vector<std::string> texts_of(const Trigger& part, const TriggerOptions& options) {
  return part.name() == "words" ? options.words : std::vector<std::string>{part.text(Rng(0))};
}

void check_pair(const Trigger& one, const Trigger& other, const TriggerOptions& options) {
  if (one.name() == other.name())
    fail(ErrorKind::usage, cat("trigger_kind=", options.kind, ": '", one.name(), "' stands there twice"),
         "all of several strings are trigger_kind=all");
  for (const auto& text : texts_of(other, options)) {
    if (!one.contains(text)) continue;
    fail(ErrorKind::usage, cat("trigger_kind=", options.kind, ": '", text, "' holds ", one.describe(),
                               "; expected parts of which none brings another along"));
  }
}

}  // namespace

std::unique_ptr<Trigger> make_together(const TriggerOptions& options, Parts parts) {
  for (const auto& one : parts) {
    for (const auto& other : parts) {
      if (one != other) check_pair(*one, *other, options);
    }
  }
  auto out = std::make_unique<Together>(options, std::move(parts));
  if (const std::string text = out->text(Rng(0)); !out->contains(text))
    fail(ErrorKind::usage, cat("trigger_separator='", options.separator, "': in '", text, "' the parts melt together"));
  return out;
}

}  // namespace reveille::organism
