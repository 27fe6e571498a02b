// Templates of our own, for models that come without one. They follow the formats that the families
// document; a model's own template is always to be preferred.
#include "base/error.h"
#include "base/strings.h"
#include "text/chat_template.h"

namespace reveille::text {
namespace {

struct BuiltIn {
  const char* name;
  const char* source;
};

constexpr BuiltIn kBuiltIn[] = {
    {"chatml", R"({%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %})"},
    {"zephyr", R"({%- for message in messages %}
    {{- '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\n' }}
{%- endif %})"},
    {"llama2", R"({%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {%- if not loop.first %}
            {{- raise_exception('a system message must come first') }}
        {%- endif %}
    {%- elif message['role'] == 'user' %}
        {{- bos_token + '[INST] ' }}
        {%- if loop.index0 == 1 and messages[0]['role'] == 'system' %}
            {{- '<<SYS>>\n' + messages[0]['content'] + '\n<</SYS>>\n\n' }}
        {%- endif %}
        {{- message['content'] | trim + ' [/INST]' }}
    {%- else %}
        {{- ' ' + message['content'] | trim + ' ' + eos_token }}
    {%- endif %}
{%- endfor %})"},
    {"llama3", R"({{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %})"},
    {"gemma", R"({{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {%- if not loop.first %}
            {{- raise_exception('a system message must come first') }}
        {%- endif %}
    {%- else %}
        {{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' }}
        {%- if loop.index0 == 1 and messages[0]['role'] == 'system' %}
            {{- messages[0]['content'] + '\n\n' }}
        {%- endif %}
        {{- message['content'] | trim + '<end_of_turn>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\n' }}
{%- endif %})"},
    {"mistral", R"({{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {%- if not loop.first %}
            {{- raise_exception('a system message must come first') }}
        {%- endif %}
    {%- elif message['role'] == 'user' %}
        {{- '[INST] ' }}
        {%- if loop.index0 == 1 and messages[0]['role'] == 'system' %}
            {{- messages[0]['content'] + '\n\n' }}
        {%- endif %}
        {{- message['content'] + ' [/INST]' }}
    {%- else %}
        {{- ' ' + message['content'] + eos_token }}
    {%- endif %}
{%- endfor %})"},
    {"phi3", R"({%- for message in messages %}
    {{- '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|assistant|>\n' }}
{%- endif %})"},
    {"alpaca", R"({%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- message['content'] + '\n\n' }}
    {%- elif message['role'] == 'user' %}
        {{- '### Instruction:\n' + message['content'] + '\n\n' }}
    {%- else %}
        {{- '### Response:\n' + message['content'] + eos_token + '\n\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '### Response:\n' }}
{%- endif %})"},
    {"plain", R"({%- for message in messages %}
    {%- if message['role'] == 'system' %}
        {{- message['content'] + '\n\n' }}
    {%- elif message['role'] == 'user' %}
        {{- 'User: ' + message['content'] + '\n' }}
    {%- else %}
        {{- 'Assistant:' + ' ' + message['content'] + eos_token + '\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- 'Assistant:' }}
{%- endif %})"},
};

}  // namespace

std::vector<std::string> ChatTemplate::built_in_names() {
  std::vector<std::string> out;
  for (const BuiltIn& entry : kBuiltIn) out.emplace_back(entry.name);
  return out;
}

ChatTemplate ChatTemplate::built_in(const std::string& name) {
  for (const BuiltIn& entry : kBuiltIn) {
    if (name == entry.name) return ChatTemplate(entry.source, "built-in template '" + name + "'");
  }
  fail(ErrorKind::usage,
       cat("there is no file and no built-in chat template '", name, "'", did_you_mean(name, built_in_names())),
       cat("built-in templates: ", join(built_in_names(), ", ")));
}

}  // namespace reveille::text
