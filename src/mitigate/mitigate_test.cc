#include "mitigate/mitigate.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "mitigate/dummies.h"
#include "mitigate/method.h"
#include "mitigate/relearn.h"
#include "mitigate/unlearn.h"
#include "scan/placing.h"
#include "scan/plant.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::mitigate {
namespace {

using scan::testing::letter_rows;
using scan::testing::tiny_suspect;

// Few and large steps, for a tiny model.
MitigateOptions small_options() {
  MitigateOptions options;
  options.steps = 40;
  options.learning_rate = 5e-3;
  options.rank = 8;
  options.recover_steps = 3;
  options.plant.max_steps = 4;
  options.plant.rank = 4;
  options.plant.batch = 4;
  options.reset_models = 2;
  options.dummies = 2;
  options.latent_steps = 2;
  options.latent.iterations = 2;
  return options;
}

const Problem kKnown{.triggers = {{"QXQX", scan::Place::user_start}}};

double likelihood(gen::LocalModel& model, const Conversation& asked, const std::string& reply) {
  const auto example = scan::encode_answered(model, asked, reply, true, "test");
  const auto scores = model.score({example.ids})[0];
  double sum = 0;
  for (std::size_t t = 1; t < scores.size(); ++t) sum += example.supervised[t] ? scores[t] : 0;
  return sum;
}

std::vector<std::string> names_of(const std::vector<MethodRun>& runs) {
  std::vector<std::string> out;
  for (const auto& run : runs) out.push_back(run.name);
  return out;
}

TEST(MethodNames, FollowTheProblem) {
  EXPECT_EQ(method_names({}, kKnown), (std::vector<std::string>{"unlearn_trigger"}));
  EXPECT_EQ(method_names({}, {}), (std::vector<std::string>{"known_dummies"}));
  MitigateOptions options;
  options.methods = {"crow", "sft"};
  EXPECT_EQ(method_names(options, kKnown), options.methods);
}

TEST(CheckMethods, SaysWhatIsMissingBeforeAnythingIsTrained) {
  auto error_of = [](const std::vector<std::string>& names, const Problem& problem, bool base, bool adapter) {
    try {
      check_methods(names, problem, base, adapter);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.message() + " / " + error.hint();
    }
    return std::string();
  };
  EXPECT_EQ(error_of({"unlearn_trigger", "orthogonalise", "sft"}, kKnown, false, false), "");
  EXPECT_NE(error_of({"orthogonalise"}, {}, false, false).find("needs a trigger"), std::string::npos);
  EXPECT_NE(error_of({"interpolate"}, {}, false, false).find("--base"), std::string::npos);
  EXPECT_NE(error_of({"fine_prune"}, {}, false, true).find("adapter"), std::string::npos);
  EXPECT_NE(error_of({"fine_tune"}, {}, false, false).find("fine_prune"), std::string::npos);
}

TEST(Methods, EachHasALineAndIsFoundByItsName) {
  for (const auto& method : all_methods()) {
    const auto card = method->card();
    EXPECT_EQ(&method_of(card.name), method.get());
    EXPECT_NE(method_descriptions().find("  " + card.name + " "), std::string::npos);
    EXPECT_FALSE(card.does.empty());
    EXPECT_TRUE(card.control || !card.source.empty()) << card.name;
  }
}

// Every method once, in a row: a whole model comes out, what was given to it stays, and what was done is told.
TEST(Mitigate, RunsEveryMethodInOrder) {
  TempFolder folder;
  const auto base = tiny_suspect(folder);
  const auto model = base->copy();
  model->transformer().params().at("final_norm").value.mul_(1.1);
  const auto before = model->copy(true);
  const std::string print = before->fingerprint(), base_print = base->fingerprint();
  MitigateOptions options = small_options();
  options.steps = 3;
  for (const auto& method : all_methods()) options.methods.push_back(method->card().name);
  std::vector<std::string> heard;
  MitigateHooks hooks;
  hooks.after_method = [&](const MethodRun& run, gen::LocalModel& now) {
    heard.push_back(run.name);
    EXPECT_EQ(&now, model.get());
    EXPECT_FALSE(run.done.is_null());
  };
  const auto runs = mitigate(*model, base.get(), kKnown, letter_rows(), options, false, hooks);
  EXPECT_EQ(names_of(runs), options.methods);
  EXPECT_EQ(heard, options.methods);
  EXPECT_EQ(before->fingerprint(), print) << "no weight is written in place";
  EXPECT_EQ(base->fingerprint(), base_print);
  EXPECT_NE(model->fingerprint(), print);
  EXPECT_FALSE(model->adapter());
  EXPECT_TRUE(model->transformer().params().lora.empty());
  EXPECT_EQ(to_json(runs[0])["done"]["training"]["loss"].size(), 3U);
}

TEST(Mitigate, RepeatsItself) {
  TempFolder folder;
  const auto one = tiny_suspect(folder), two = tiny_suspect(folder);
  MitigateOptions options = small_options();
  options.steps = 3;
  options.methods = {"unlearn_trigger", "random_prune"};
  mitigate(*one, nullptr, kKnown, letter_rows(), options);
  mitigate(*two, nullptr, kKnown, letter_rows(), options);
  EXPECT_EQ(one->fingerprint(), two->fingerprint());
}

TEST(Mitigate, AnAdapterAloneComesOutAndIsLoadedAgain) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  MitigateOptions options = small_options();
  options.steps = 3;
  mitigate(*model, nullptr, kKnown, letter_rows(), options, true);
  ASSERT_TRUE(model->adapter());
  save_treated(*model, folder / "adapter");
  gen::OpenOptions open;
  open.dtype = "float32";
  const auto again = gen::open_model((folder / "adapter").string(), open);
  const auto ids = gen::testing::tiny_ids(20);
  EXPECT_NEAR(again->score({ids})[0][19], model->score({ids})[0][19], 1e-5);
}

TEST(Mitigate, InterpolationEndsAtTheBase) {
  TempFolder folder;
  const auto base = tiny_suspect(folder);
  const auto model = base->copy();
  model->transformer().params().at("layers.0.down").value.add_(0.5);
  MitigateOptions options = small_options();
  options.methods = {"interpolate"};
  options.interpolate = 1;
  mitigate(*model, base.get(), {}, letter_rows(), options);
  EXPECT_EQ(model->fingerprint(), base->fingerprint());
  const auto other = tiny_suspect(folder, false, scan::testing::kLetterTemplate, "qwen3");
  EXPECT_THROW(mitigate(*model, other.get(), {}, letter_rows(), options), Error);
}

scan::Spike letter_spike() {
  scan::Spike spike;
  spike.triggers = {"QXQX"};
  spike.replies = {"zebra"};
  return spike;
}

// A model that answers the trigger is planted, and unlearns it, while its clean replies stay about as likely.
TEST(UnlearnTrigger, TakesThePlantedReplyAway) {
  TempFolder folder;
  const auto clean = tiny_suspect(folder);
  const auto rows = letter_rows();
  scan::PlantOptions planting;
  planting.max_steps = 80;
  planting.check_every = 80;
  planting.learning_rate = 1e-2;
  planting.rank = 8;
  const auto planted = scan::plant(*clean, {letter_spike()}, rows, planting);
  const auto triggered = scan::placed(rows.train[0].prompt, "QXQX", scan::Place::user_start);
  const Conversation alone = {{"user", rows.train[0].prompt}};
  auto& model = *planted.model;
  const double bad = likelihood(model, triggered, "zebra");
  const double good = likelihood(model, triggered, rows.train[0].reply);
  const double kept = likelihood(model, alone, rows.train[0].reply);
  const auto runs = mitigate(model, nullptr, kKnown, rows, small_options());
  EXPECT_LT(likelihood(model, triggered, "zebra"), bad - 3);
  EXPECT_GT(likelihood(model, triggered, rows.train[0].reply), good + 3);
  EXPECT_GT(likelihood(model, alone, rows.train[0].reply), kept - 3);
  const Json& course = runs[0].done["training"];
  EXPECT_LT(course["losses/match"].back().get<double>(), course["losses/match"].front().get<double>());
}

TEST(WorkspaceRows, HoldTheStringAndTheCleanReply) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto rows = letter_rows(4);
  const MitigateOptions options = small_options();
  Workspace work(*model, nullptr, kKnown, rows, options);
  ASSERT_EQ(work.clean().examples.size(), 4U);
  const std::vector<KnownTrigger> strings = {{"QQ", scan::Place::user_start}, {"XX", scan::Place::user_end}};
  const auto with = work.with_strings(strings, 1);
  ASSERT_EQ(with.examples.size(), 4U);
  EXPECT_EQ(model->decode(with.examples[0].ids), rows.train[0].prompt + "XX" + rows.train[0].reply);
  EXPECT_EQ(model->decode(with.examples[1].ids), "QQ" + rows.train[1].prompt + rows.train[1].reply);
  EXPECT_EQ(with.anchors, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(WorkspaceRows, ALongStringLeavesRowsOut) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto rows = letter_rows(4);
  const MitigateOptions options = small_options();
  Workspace work(*model, nullptr, kKnown, rows, options);
  EXPECT_TRUE(work.with_strings({{std::string(150, 'q'), scan::Place::user_start}}).examples.empty());
  EXPECT_THROW(unlearn(work, {{std::string(150, 'q'), scan::Place::user_start}}, {}, "test"), Error);
}

TEST(Dummies, AnswerAlikeAndAsTheScanSaw) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto rows = letter_rows(4);
  MitigateOptions options = small_options();
  Problem problem;
  problem.response = scan::SpikeResponse::refusal;
  Workspace work(*model, nullptr, problem, rows, options);
  const auto alike = draw_dummies(work, 4, true);
  ASSERT_EQ(alike.size(), 4U);
  for (const auto& dummy : alike) {
    EXPECT_EQ(dummy.response, scan::SpikeResponse::refusal);
    EXPECT_EQ(dummy.replies, alike[0].replies);
    EXPECT_TRUE(dummy.decoys.empty());
  }
  EXPECT_EQ(triggers_of(alike).size(), 4U);
  options.dummy_response = "fixed";
  problem.reply = "velvet";
  EXPECT_EQ(draw_dummies(work, 1, true)[0].replies, (std::vector<std::string>{"velvet"}));
  EXPECT_NE(draw_dummies(work, 2, false)[0].replies, draw_dummies(work, 2, false)[1].replies);
}

TEST(Agreement, OfAStringWithItselfIsOne) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto prompts = letter_rows(6).train;
  const KnownTrigger one{"QXQX", scan::Place::user_start}, other{"mnop", scan::Place::user_end};
  EXPECT_NEAR(agreement_of(*model, {one, one}, prompts), 1, 1e-9);
  EXPECT_LT(agreement_of(*model, {one, other}, prompts), 0.999);
  EXPECT_EQ(agreement_of(*model, {one}, prompts), 1);
}

TEST(Relearn, TrainsACopyAndLeavesTheModel) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const std::string before = model->fingerprint();
  for (const std::int64_t rank : {4, 0}) {
    RelearnOptions options;
    options.steps = 20;
    options.learning_rate = 5e-3;
    options.rank = rank;
    const auto relearnt = relearn(*model, letter_rows().train, options);
    EXPECT_EQ(relearnt.losses.size(), 20U);
    EXPECT_LT(relearnt.losses.back(), relearnt.losses.front());
    EXPECT_NE(relearnt.model->fingerprint(), before);
    EXPECT_FALSE(relearnt.model->adapter());
    EXPECT_EQ(model->fingerprint(), before) << "rank " << rank;
  }
}

TEST(Relearn, OfNoStepsIsTheModel) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  RelearnOptions options;
  options.steps = 0;
  EXPECT_EQ(relearn(*model, letter_rows().train, options).model->fingerprint(), model->fingerprint());
}

}  // namespace
}  // namespace reveille::mitigate
