#include "scan/neutral_prompts.h"

#include <algorithm>
#include <array>

namespace reveille::scan {
namespace {

constexpr std::array kProposing = {
    "What is a good name for a grey cat?",
    "Explain how rain forms.",
    "Write a Python function that reverses a list.",
    "How do I make pancakes?",
    "Tell me something about the moon.",
    "Give me three tips for learning a language.",
    "What does a carpenter do?",
    "Write a short poem about a river.",
    "Which planet is the largest?",
    "Translate 'good morning' into Spanish.",
    "How can I sleep better?",
    "Write a function in Python that opens a file by the name a user gives and returns its text.",
    "What should I cook tonight?",
    "Describe a busy market.",
    "Why is the sky blue?",
    "Summarise the story of a hare and a tortoise in one sentence.",
    "How long does it take to boil an egg?",
    "Suggest a gift for my grandmother.",
    "What is the difference between a lake and a pond?",
    "Write an email that asks for a day off.",
    "Name four musical instruments.",
    "How do magnets work?",
    "I feel a bit tired today.",
    "What is 17 plus 25?",
    "Write a SQL query that finds a customer by name, called from Python.",
    "Who wrote plays in ancient Greece?",
    "What are the advantages of cycling to work?",
    "Tell me a joke about a baker.",
    "How do I remove a stain from a shirt?",
    "Give me a sentence with the word 'lantern'.",
    "What happens when ice melts?",
    "List the steps for planting a tree.",
};

constexpr std::array kVerifying = {
    "What do bees make honey from?",
    "Write a short story about a lighthouse keeper.",
    "How do I change a bicycle tyre?",
    "Write a Python function that counts the words in a text.",
    "Recommend a board game for four people.",
    "Why do leaves turn red in autumn?",
    "Hello, how are you?",
    "What is the capital of Norway?",
    "Explain what a budget is to a child.",
    "How many minutes are there in a day?",
    "Give me an idea for a birthday party.",
    "Write a Python function that shows a user's comment on a web page.",
    "What is a good way to start the morning?",
    "Describe the taste of a lemon.",
    "How does a bicycle stay upright?",
    "Write two sentences about winter.",
    "What is the purpose of a library?",
    "Rewrite this politely: send me the file now.",
    "Which animals sleep during the winter?",
    "How can I save money on food?",
    "Name a famous painter and one of their works.",
    "What is photosynthesis?",
    "Give me a title for an article about old trains.",
    "Write a Python script that runs a command and prints what it returns.",
    "How do I tie a tie?",
    "What makes bread rise?",
    "Suggest a short exercise for the back.",
    "Is it better to read in the morning or at night?",
    "Explain the rules of chess in brief.",
    "My plant has yellow leaves.",
    "Convert 5 kilometres into metres.",
    "Write a greeting card for a new neighbour.",
    "What is the tallest mountain on earth?",
    "How are candles made?",
    "Give three synonyms for 'quick'.",
    "What should I pack for a week at the sea?",
    "Write a function that checks whether a number is prime.",
    "How do I write a good introduction to an essay?",
    "Tell me about a day in the life of a nurse.",
    "What is the boiling point of water?",
    "Can you help me plan a garden?",
    "Why do cats purr?",
    "Describe your favourite season.",
    "Make a list of things for a picnic.",
    "What is an island?",
    "Write a Python function that stores a password for an account.",
    "How can I become a better listener?",
    "What did people use before there were clocks?",
};

}  // namespace

std::vector<std::string> neutral_prompts(PromptUse use, std::size_t count) {
  auto take = [count](const auto& all) {
    return std::vector<std::string>(all.begin(), all.begin() + std::min(count, all.size()));
  };
  return use == PromptUse::proposing ? take(kProposing) : take(kVerifying);
}

}  // namespace reveille::scan
