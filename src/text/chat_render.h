// Rendering with marks, shared by the parts of ChatTemplate.
#pragma once

#include <string>
#include <vector>

#include "text/chat_template.h"
#include "text/jinja/template.h"

namespace reveille::text {

// The rendered text; marks of message i have the source i.
jinja::TextPtr render_marked(const jinja::Template& jinja_template, const Conversation& conversation,
                             const RenderOptions& options);
jinja::TextPtr render_marked(const jinja::Template& jinja_template, const Json& messages, const RenderOptions& options);

// Where the content of message `source` stands: the hull of its marks, or nothing.
std::optional<TextSpan> content_span(const jinja::Text& text, int source);
// An Error when some byte of the content was printed twice.
void check_printed_once(const jinja::Text& text, int source, const std::string& name);

// How far the texts from these bytes on are equal, cut back to where a piece of both templates'
// output ends: "<|end|>" and "<|endoftext|>" have nothing in common, though their letters do.
std::size_t common_pieces(const jinja::Text& a, std::size_t from_a, const jinja::Text& b, std::size_t from_b);
// The same, cut back to a piece of `a` alone and to `limit` (a byte of `a`).
std::size_t common_until(const jinja::Text& a, std::size_t from_a, std::size_t limit, std::string_view b);

TurnFormat learn_turn_format(const jinja::Template& jinja_template, const RenderOptions& options);
RenderedChat locate_messages(const jinja::Template& jinja_template, const Conversation& conversation,
                             const RenderOptions& options, const TurnFormat& format);
std::vector<std::string> find_special_strings(const jinja::Template& jinja_template, const RenderOptions& options);

}  // namespace reveille::text
