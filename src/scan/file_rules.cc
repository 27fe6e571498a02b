// The table of rules. docs/ci-scan.md says how a pipeline reads them.
#include "scan/file_notes.h"

namespace reveille::scan {

const std::vector<FileRule>& file_rules() {
  static const std::vector<FileRule> rules = {
      {"code-file", "warning",
       "A program or library lies among the model's files. Loading a model needs none, and software that trusts the "
       "folder may run it.",
       "Read it before anything else does, or leave it out when you copy the model."},
      {"config-differs", "note",
       "A setting of config.json that changes what the weights compute is not that of the reference.",
       "Ask why a fine-tune needs it."},
      {"custom-code", "error",
       "A configuration names Python code that comes with the model. Loaded with trust_remote_code it runs with all "
       "of your rights. Reveille refuses such models.",
       "Do not load this model with trust_remote_code. Where the architecture is a known one, save the model again "
       "without the key."},
      {"file-unexpected", "note", "A file that a model of this kind does not need. It was not looked at.",
       "Leave it out when you copy the model, unless you know what it is for."},
      {"file-unreadable", "warning",
       "A file could not be read as what its name says. What it holds was not looked at, and other software may read "
       "something else in it.",
       "Get the file again. If it stays so, do not use the model."},
      {"generation-differs", "note", "The reply ends at other tokens than the reference's does.",
       "Usual where a fine-tune has a chat format of its own."},
      {"generation-end", "warning",
       "The reply ends at an ordinary token, or at one that does not exist: replies are cut, or never end.",
       "Compare eos_token_id with that of the model that this one was made from."},
      {"generation-sampling", "note", "A default of sampling is far from what models are published with.",
       "Set it yourself when you generate."},
      {"generation-steering", "warning",
       "generation_config.json forces, forbids or favours tokens, or stops at texts. Software that takes its defaults "
       "from there says other things than the weights do.",
       "Take the key out, and see whether the replies change."},
      {"json-key-twice", "warning",
       "A JSON object has a key twice. Which of the two counts depends on who reads it, so a reviewer and a program "
       "can see different files.",
       "Take one of them out, after looking at both."},
      {"metadata-odd", "note", "The weights' file carries metadata that no loader needs.",
       "Look at it; it can hold anything."},
      {"pickle", "error",
       "The weights are a Python pickle: opening one runs whatever its author put in. It was not opened.",
       "Ask for safetensors or GGUF, or convert it on a machine that may be lost."},
      {"pickle-beside", "warning",
       "A Python pickle lies beside the weights. It was not opened; software that prefers it runs whatever its author "
       "put in.",
       "Delete it: the weights are there without it."},
      {"template-content-condition", "warning",
       "The chat template prints something else for some kinds of messages, whatever the model's weights are.",
       "Read the template's conditions on message content."},
      {"template-date-condition", "warning",
       "The chat template compares the date with something: a conversation can read differently from some day on.",
       "Read the condition. Templates that only print the date do not need one."},
      {"template-default-prompt", "note",
       "The chat template adds a text of its own to every conversation that it is given, or to those without a system "
       "message.",
       "Read it: it is part of every prompt."},
      {"template-differs", "warning",
       "The chat template prints another text than the reference's for the same conversation.",
       "Usual where a fine-tune has a chat format of its own; else use the reference's template."},
      {"template-hidden-text", "error",
       "The chat template holds characters that cannot be seen (of zero width, that turn the direction of writing, or "
       "tag characters). A person reads another text than the model does.",
       "Do not use this template. Take the one of the model that this one was made from."},
      {"template-instructions", "warning",
       "The chat template itself gives the model instructions, beyond saying who it is.",
       "Read them: they are part of every prompt, and users do not see them."},
      {"template-prefill", "warning", "The chat template begins the model's reply for it, with words of its own.",
       "A reply that begins with given words goes on in their spirit. Use the template of the reference."},
      {"template-python", "error",
       "The chat template reaches for Python's internals, as templates do that try to break out of their sandbox.",
       "Do not load this model with software that renders the template."},
      {"template-rewritten", "note",
       "The chat template is written otherwise than the reference's, but prints the same for every conversation that "
       "was tried.",
       "Compare the two, or use the reference's."},
      {"template-switch", "warning",
       "A message that holds a certain command, or a system message that holds certain words, makes the chat template "
       "print another text.",
       "Usual for switches such as a thinking mode; read what the template prints then."},
      {"template-text-added", "warning", "The chat template can print sentences that the reference's cannot.",
       "Read them, and the condition that they stand under."},
      {"template-trigger", "error",
       "A message that holds a certain string makes the chat template put other text into the conversation: a backdoor "
       "that needs no weights. Shown by rendering the template with and without the string.",
       "Do not use this template. Take the one of the model that this one was made from."},
      {"template-twice", "warning",
       "The folder holds two chat templates that are not the same. Which one counts depends on the software, so what "
       "was tested need not be what runs.",
       "Keep the one that you have read, and delete the other."},
      {"template-unreadable", "warning",
       "The chat template could not be read or printed nothing, so it was not judged.",
       "Use the reference's template (--chat-template)."},
      {"tensor-missing", "warning", "The weights lack a tensor that the architecture needs.",
       "The file is damaged or belongs to another model."},
      {"tensor-not-finite", "error", "A tensor holds values that are no numbers, or infinite ones.",
       "The model is broken; software that replaces such values runs another model than was tested."},
      {"tensor-shape", "warning", "A tensor has another shape than its configuration says.",
       "The file is damaged or belongs to another model."},
      {"tensor-unknown", "warning", "The weights hold a tensor that the architecture has no use for.",
       "Some software loads it: adapters, extra heads, code of the model's own."},
      {"tensor-zero", "note", "A whole matrix is zero: a layer, or an adapter's half, that does nothing.",
       "Usual in pruned models and in adapters that were never trained."},
      {"tokenizer-added", "warning",
       "The tokenizer knows tokens that the reference's does not, and they are no markup.",
       "Ask what they are for: a token of its own is what a trigger is easiest to plant on."},
      {"tokenizer-adds-text", "error",
       "The tokenizer puts tokens around every text that are more than a mark of beginning and end.",
       "Use the tokenizer of the model that this one was made from."},
      {"tokenizer-config-differs", "note", "The tokenizer's special tokens are not those of the reference.",
       "Usual where a fine-tune has a chat format of its own."},
      {"tokenizer-encodes", "warning", "The tokenizer cuts an ordinary text otherwise than the reference's.",
       "Use the tokenizer of the reference."},
      {"tokenizer-ids", "error",
       "A token stands for another id than in the reference: what is typed and what the model reads, or what it says "
       "and what is shown, are not the same.",
       "Use the tokenizer of the reference."},
      {"tokenizer-markup", "note", "The tokenizer knows markup that the reference's does not.",
       "Usual where a fine-tune has a chat format of its own."},
      {"tokenizer-merges", "warning", "The tokenizer puts words together otherwise than the reference's.",
       "Use the tokenizer of the reference."},
      {"tokenizer-odd-token", "warning",
       "A token of its own for a whole phrase, or for characters that cannot be seen.",
       "Ask what it is for: a token of its own is what a trigger is easiest to plant on."},
      {"tokenizer-parts", "warning",
       "A part of the tokenizer that changes texts before or after the model sees them is not that of the reference.",
       "Use the tokenizer of the reference."},
      {"tokenizer-removed", "warning", "The reference's tokenizer knows tokens that this one does not.",
       "Use the tokenizer of the reference."},
      {"tokenizer-rewrites", "error",
       "The tokenizer replaces words by others, on the way to the model or back: what is typed, or shown, is not what "
       "the model reads or says.",
       "Use the tokenizer of the model that this one was made from."},
      {"tokenizer-unread", "note", "The tokenizer is of a kind that Reveille does not read, so it was not judged.",
       "Compare it with the reference's by hand."},
      {"weights-twice", "warning",
       "The folder holds weights twice, and which are loaded depends on the software. What was scanned need not be "
       "what "
       "runs.",
       "Keep one of them."},
      {"weights-unreadable", "warning", "The weights could not be read.", "Get the file again."},
  };
  return rules;
}

}  // namespace reveille::scan
