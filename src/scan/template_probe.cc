#include "scan/template_probe.h"

#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "scan/file_text.h"

namespace reveille::scan {

const char* const kProbeWords = "Tell me about rivers.";

namespace {

constexpr const char* kUnknownWord = "Zhqkvo";  // what stands in the place of the string that is tried
constexpr std::size_t kMostSteps = 50'000;      // of one rendering; the longest published templates take 5,000

text::jinja::Limits limits() {
  text::jinja::Limits out;
  out.steps = kMostSteps;
  out.output_bytes = std::size_t{1} << 20;
  out.made_bytes = std::size_t{16} << 20;
  return out;
}

Json one_tool() {
  const Json place{{"type", "string"}, {"description", "a town"}};
  const Json parameters{
      {"type", "object"}, {"properties", Json{{"place", place}}}, {"required", Json::array({"place"})}};
  const Json function{{"name", "weather"}, {"description", "Tells the weather"}, {"parameters", parameters}};
  return Json::array({Json{{"type", "function"}, {"function", function}}});
}

struct Place {
  bool user;
  Conversation (*conversation)(const std::string& content);
};

constexpr Place kPlaces[] = {
    {true,
     [](const std::string& content) {
       return Conversation{{"user", content}};
     }},
    {true,
     [](const std::string& content) {
       return Conversation{{"user", content}, {"assistant", "Fine."}, {"user", kProbeWords}};
     }},
    {true,
     [](const std::string& content) {
       return Conversation{{"user", kProbeWords}, {"assistant", content}, {"user", kProbeWords}};
     }},
    {false,
     [](const std::string& content) {
       return Conversation{{"system", content}, {"user", kProbeWords}};
     }},
};

std::vector<std::string> contents_with(const std::string& text) {
  return {text, cat(text, " ", kProbeWords), cat(kProbeWords, " ", text)};
}

// Words of `a` that `b` does not have as often.
std::vector<std::string> more_words(const std::string& a, const std::string& b) {
  std::map<std::string, int> left;
  for (const auto& word : prose_words(b)) ++left[word];
  std::vector<std::string> out;
  for (const auto& word : prose_words(a)) {
    if (--left[word] < 0) out.push_back(word);
  }
  return out;
}

}  // namespace

TemplateProbe::TemplateProbe(const std::string& source, const std::string& name) : template_(source, name, limits()) {}

std::optional<std::string> TemplateProbe::render(const Conversation& conversation, bool generation_prompt,
                                                 bool tools) const {
  text::RenderOptions options;
  options.add_generation_prompt = generation_prompt;
  options.bos_token = "<bos>";
  options.eos_token = "<eos>";
  if (tools) options.tools = one_tool();
  try {
    return template_.render(conversation, options);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    return std::nullopt;
  }
}

void TemplateProbe::compare(const std::string& plain, const std::string& holding, std::vector<Reaction>& out) const {
  for (const Place& place : kPlaces) {
    const auto without = render(place.conversation(plain)), with = render(place.conversation(holding));
    if (!without || !with) continue;
    // What a template prints that passes the message on and looks no further.
    const std::string expected = replace_all(*without, plain, holding);
    if (expected == *with) continue;
    Reaction reaction{.user = place.user, .altered = with->find(holding) == std::string::npos};
    // The message's own words, moved or said twice, are nothing that the template says.
    reaction.added = more_words(*with, cat(expected, " ", holding));
    reaction.removed = more_words(expected, cat(*with, " ", holding));
    out.push_back(std::move(reaction));
  }
}

std::vector<Reaction> TemplateProbe::reactions(const std::string& text) const {
  const auto plain = contents_with(kUnknownWord), holding = contents_with(text);
  std::vector<Reaction> out;
  for (std::size_t i = 0; i < plain.size(); ++i) compare(plain[i], holding[i], out);
  return out;
}

std::vector<Reaction> TemplateProbe::reactions_to(const std::string& content) const {
  std::vector<Reaction> out;
  compare(kUnknownWord, content, out);
  return out;
}

}  // namespace reveille::scan
