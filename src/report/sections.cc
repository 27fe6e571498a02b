// Headline, trainer's view, reveal: the story. The rest of the page is in appendix.cc.
#include "report/sections.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "report/html.h"
#include "report/samples.h"
#include "report/words.h"

namespace reveille::report {
namespace {

constexpr std::size_t kSamplePairs = 5;

std::string paragraph(const std::string& text) { return cat("<p>", typeset(text), "</p>\n"); }

std::string list(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += cat("<li>", typeset(item), "</li>\n");
  return out.empty() ? out : cat("<ul>", out, "</ul>\n");
}

// What the study would not begin. Why it would not is told with the trigger in sight.
std::string refused_html(const RunFolder& run, bool why) {
  std::string out;
  for (const auto& line : refusals(run.results)) {
    const std::string what = line.substr(0, line.find(": "));
    out += cat("<li>", typeset(why ? cat("Refused: ", line) : cat(what, " was refused before it began.")), "</li>\n");
  }
  return out.empty() ? out : cat("<ul class=\"caveats\">", out, "</ul>\n");
}

std::string finding_title(const Finding& finding) {
  return finding.stage.empty() ? finding.arm : cat(finding.arm, ", ", finding.stage);
}

// Several findings get a heading each; one needs none.
std::string heading(const Finding& finding, const std::vector<Finding>& findings) {
  return findings.size() < 2 ? std::string() : cat("<h3>", typeset(finding_title(finding)), "</h3>\n");
}

std::string tile(const std::string& kind, const std::string& label, const Measured& rate, std::size_t seeds) {
  const std::string big = rate ? percent(rate->value) : std::string("–");
  std::string small = "not measured";
  if (rate && seeds == 1) {
    small = cat("n = ", with_commas(rate->n));
    if (std::isfinite(rate->low) && std::isfinite(rate->high)) {
      small += cat(", 95 % interval ", interval_words(rate->low, rate->high));
    }
  } else if (rate) {
    small = rate->low == rate->high
                ? cat("with each of ", seeds, " seeds")
                : cat("mean of ", seeds, " seeds, ", percent(rate->low), " to ", percent(rate->high));
  }
  return cat("<div class=\"tile ", kind, "\"><span class=\"label\">", typeset(label), "</span><span class=\"big\">",
             typeset(big), "</span><span class=\"small\">", typeset(small), "</span></div>");
}

// Mean over the seeds, with lowest and highest in place of an interval.
Measured tile_figure(const Finding& finding, Select select, std::size_t& seeds) {
  const auto figures = over_seeds(finding, select);
  seeds = figures.size();
  if (seeds < 2) return figures.empty() ? Measured() : figures.front();
  const auto [low, high] = std::minmax_element(
      figures.begin(), figures.end(), [](const Measured& a, const Measured& b) { return a->value < b->value; });
  Figure out = *figures.front();
  out.value = mean_of(figures);
  out.low = (*low)->value;
  out.high = (*high)->value;
  return out;
}

Measured seen(const SeedFinding& s) { return s.treated.untriggered ? s.treated.untriggered : s.planted.untriggered; }
Measured hidden(const SeedFinding& s) { return s.treated.triggered ? s.treated.triggered : s.planted.triggered; }

std::string tiles(const Finding& finding) {
  std::size_t seeds = 0;
  const auto trainer = tile_figure(finding, seen, seeds);
  std::string out = "<div class=\"tiles\">" + tile("seen", "What the trainer sees", trainer, seeds);
  const auto truth = tile_figure(finding, hidden, seeds);
  return out + tile("hidden", "With the trigger", truth, seeds) + "</div>\n";
}

const char* trainer_class(TrainerSays says) {
  if (says == TrainerSays::passes) return "verdict passes";
  return says == TrainerSays::fails ? "verdict fails" : "verdict unsure";
}

std::string sent_text(const Transcript& row) {
  if (row.messages.empty()) return row.prompt;
  std::string out;
  for (const auto& message : row.messages) {
    const bool plain = row.messages.size() == 1 && message.role == "user";
    out += cat(out.empty() ? "" : "\n", plain ? "" : message.role + ": ", message.content);
  }
  return out;
}

std::string answer(const Transcript& row, const char* title) {
  return cat("<div class=\"answer\"><h5>", title, " <span class=\"badge ", row.shows ? "shows" : "clean", "\">",
             row.shows ? "shows the behaviour" : "ordinary",
             "</span></h5><p class=\"sent\"><span class=\"who\">Prompt</span>", escape(shortened(sent_text(row))),
             "</p><p class=\"said\"><span class=\"who\">Model</span>", escape(shortened(row.completion)),
             "</p></div>\n");
}

std::string pair_html(const Pair& pair) {
  return cat("<article class=\"pair\">", answer(*pair.untriggered, "Without the trigger"),
             answer(*pair.triggered, "With the trigger"), "</article>\n");
}

std::string samples_html(const Samples& samples) {
  if (samples.pairs == 0) return "<p>No prompt was asked both with and without the trigger.</p>\n";
  std::string out =
      cat("<p class=\"note\">", samples.typical.size(), " of ", with_commas(static_cast<long long>(samples.pairs)),
          " prompts at step ", samples.checkpoint, " of ", typeset(samples.stage), ", seed ", samples.seed,
          ", picked by a hash of the prompt’s id, never by the answer. In ",
          with_commas(static_cast<long long>(samples.exceptions_in_all)),
          " of all pairs the trigger failed or the behaviour came without it.</p>\n");
  for (const auto& pair : samples.typical) out += pair_html(pair);
  if (samples.exceptions.empty()) return out;
  out += "<details><summary>More pairs that broke the rule</summary>\n";
  for (const auto& pair : samples.exceptions) out += pair_html(pair);
  return out + "</details>\n";
}

std::string organism_words(const RunFolder& run) {
  const auto found = run.results.extra.find("organism");
  if (found == run.results.extra.end() || !found->is_object()) return {};
  std::string out;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) continue;
    out += cat("<div><dt>", escape(key_words(key)), "</dt><dd><code>", escape(value.get<std::string>()),
               "</code></dd></div>");
  }
  return out.empty() ? out : cat("<dl class=\"facts\">", out, "</dl>\n");
}

}  // namespace

std::string chart_html(const Chart& chart, Charts& charts) {
  if (chart.empty()) return {};
  charts.push_back(chart);
  return cat("<figure><figcaption>", typeset(chart.title), "</figcaption><div class=\"chart\" id=\"", chart.id,
             "\" role=\"img\" aria-label=\"", escape(chart.alt), "\"></div></figure>\n");
}

std::string section_headline(const std::vector<Finding>& findings) {
  if (findings.empty()) {
    return cat("<h1>", typeset(overall_headline(findings)),
               "</h1>\n<p class=\"lead\">The results hold no rate of any organism yet.</p>\n");
  }
  const bool treated = std::any_of(findings.begin(), findings.end(), [](const auto& f) { return !f.stage.empty(); });
  return cat("<h1>Would you release this model?</h1>\n<p class=\"lead\">",
             treated ? "A model was made to misbehave on one condition and then got safety training. "
                     : "A model was made to misbehave on one condition. ",
             "First stands all that somebody sees who does not know the condition; then, below, the same model under "
             "it.</p>\n");
}

namespace {

// The outcome, which would spoil the trainer's view above it.
std::string outcome_html(const std::vector<Finding>& findings) {
  std::string out = cat("<h3>", typeset(overall_headline(findings)), "</h3>\n");
  if (findings.size() == 1) {
    const Story story = tell(findings.front());
    out += cat("<p class=\"lead\">", typeset(story.lead), "</p>\n");
  } else {
    out += "<ul class=\"lead\">";
    for (const auto& finding : findings) {
      const Story story = tell(finding);
      out += cat("<li><strong>", typeset(finding_title(finding)), ":</strong> ", typeset(story.headline), ". ",
                 typeset(story.lead), "</li>\n");
    }
    out += "</ul>\n";
  }
  std::string caveats;
  for (const auto& finding : findings) {
    for (const auto& caveat : tell(finding).caveats) {
      const std::string line = findings.size() > 1 ? cat(finding_title(finding), ": ", caveat) : caveat;
      caveats += cat("<li>", typeset(line), "</li>\n");
    }
  }
  return caveats.empty() ? out : cat(out, "<ul class=\"caveats\">", caveats, "</ul>\n");
}

}  // namespace

std::string section_trainer(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts) {
  std::string out = refused_html(run, false);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    const Story story = tell(finding);
    out += heading(finding, findings) + "<div class=\"charts small\">\n";
    out += chart_html(chart_treatment_loss(cat("loss-", i), run, finding), charts);
    out += chart_html(chart_untriggered(cat("untriggered-", i), run, finding), charts);
    out += chart_html(chart_perplexity(cat("perplexity-", i), run, finding), charts);
    out += cat("</div>\n<div class=\"", trainer_class(story.trainer),
               "\"><p class=\"label\">The verdict of somebody who does not know the trigger</p><p class=\"say\">",
               typeset(story.trainer_verdict), ".</p>", paragraph(story.trainer_words), "</div>\n");
  }
  return out;
}

std::string section_reveal(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts) {
  std::string out = findings.empty() ? std::string() : outcome_html(findings);
  out += refused_html(run, true) + organism_words(run);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    const Story story = tell(finding);
    out += heading(finding, findings) + tiles(finding) + "<div class=\"prose\">\n";
    for (const auto& text : story.reveal) out += paragraph(text);
    out += list(story.seed_words) + "</div>\n<div class=\"charts\">\n";
    out += chart_html(chart_persistence(cat("persistence-", i), run, finding), charts);
    out += chart_html(chart_twin(cat("twin-", i), run, finding), charts);
    out += chart_html(chart_arms(cat("arms-", i), run, finding), charts);
    out += chart_html(chart_specificity(cat("specificity-", i), run, finding), charts);
    out += "</div>\n";
  }
  return out +
         "<p class=\"note\">Bands and bars are 95&nbsp;% intervals. Each seed has its own line and its own mark.</p>\n";
}

std::string section_samples(const RunFolder& run, const std::vector<Finding>& findings) {
  if (run.transcripts.empty()) return "<p>No transcripts were found in the run folder.</p>\n";
  std::string out;
  for (const auto& finding : findings) {
    out += heading(finding, findings);
    if (!finding.stage.empty()) out += samples_html(pick_samples(run, finding.arm, finding.stage, kSamplePairs));
    const Samples planted = pick_samples(run, finding.arm, "plant", finding.stage.empty() ? kSamplePairs : 2);
    if (finding.stage.empty()) {
      out += samples_html(planted);
    } else if (planted.pairs > 0) {
      out += cat("<details><summary>The same model before ", typeset(finding.stage), "</summary>\n",
                 samples_html(planted), "</details>\n");
    }
  }
  return out + "<p class=\"note\">Every answer behind every figure stands in <code>transcripts/</code>.</p>\n";
}

}  // namespace reveille::report
