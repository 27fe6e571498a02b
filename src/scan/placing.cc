#include "scan/placing.h"

#include <algorithm>

#include "base/error.h"
#include "train/rows.h"

namespace reveille::scan {
namespace {

// For a model without a template.
std::string as_text(const Conversation& conversation) {
  std::string text;
  for (const auto& message : conversation)
    text += (message.role == "user"        ? "User: "
             : message.role == "assistant" ? "Assistant: "
                                           : "") +
            message.content + "\n";
  return text + "Assistant:";
}

bool is_stop(const gen::LocalModel& model, std::int32_t id) {
  const auto& stops = model.stop_ids();
  return std::find(stops.begin(), stops.end(), id) != stops.end();
}

train::Example encode_plain(const gen::LocalModel& model, const Conversation& asked, const std::string& reply) {
  train::Example out{model.encode_with_specials(as_text(asked)), {}, {}};
  out.supervised.assign(out.ids.size(), 0);
  const auto said = model.encode_text(" " + reply);
  out.ids.insert(out.ids.end(), said.begin(), said.end());
  out.ids.push_back(model.stop_ids().front());
  out.supervised.resize(out.ids.size(), 1);
  return out;
}

}  // namespace

Conversation placed(const std::string& prompt, const std::string& trigger, Place place) {
  if (trigger.empty()) return {{"user", prompt}};
  switch (place) {
    case Place::user_start: return {{"user", trigger + (trigger.back() == '\n' ? "" : " ") + prompt}};
    case Place::user_end: return {{"user", prompt + (trigger.front() == '\n' ? "" : " ") + trigger}};
    case Place::system: return {{"system", trigger}, {"user", prompt}};
    case Place::earlier_turn: return {{"user", trigger}, {"assistant", "OK."}, {"user", prompt}};
  }
  return {};
}

std::vector<std::int32_t> encode_asked(const gen::LocalModel& model, const Conversation& asked) {
  return model.has_template() ? model.encode_chat(asked) : model.encode_with_specials(as_text(asked));
}

train::Example encode_answered(const gen::LocalModel& model, Conversation asked, const std::string& reply,
                               bool finished, const std::string& source) {
  train::Example out;
  if (model.has_template()) {
    const std::size_t before = asked.size();
    asked.push_back({"assistant", reply});
    out = train::encode_conversation(model, asked, {}, source);
    // An earlier turn's reply is no part of what is learnt.
    if (before > 1) {
      const auto prompt = encode_asked(model, {asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(before)});
      std::fill_n(out.supervised.begin(), std::min(prompt.size(), out.supervised.size()), std::uint8_t{0});
    }
  } else {
    out = encode_plain(model, asked, reply);
  }
  out.source = source;
  for (std::size_t t = out.ids.size(); !finished && t > 0; --t) {
    if (out.supervised[t - 1] && !is_stop(model, out.ids[t - 1])) break;
    out.supervised[t - 1] = 0;
  }
  return out;
}

bool takes_place(const gen::LocalModel& model, Place place) {
  try {
    encode_asked(model, placed("a", "b", place));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace reveille::scan
