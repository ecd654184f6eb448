/* What the components of the page call, under one name. */
window.Clapper = (() => {
  ClapperForms.begin();
  ClapperFrame.begin();
  const { look, generate, mend, describe, notes, forget } = ClapperForms, { show, go } = ClapperFrame;
  const { stage } = ClapperStage, { queue } = ClapperQueue, { history } = ClapperGallery;
  const { tells } = ClapperDone, { shortcuts } = ClapperShortcuts;
  const { file } = ClapperFiles, { addFiles } = ClapperPlacement, { timeline, timed } = ClapperTimeline;
  const { styles, styleChoices } = ClapperStyles;
  const { lineage } = ClapperLineage, { reused, refill } = ClapperReuse;
  const { side, account, operators } = ClapperSide, { preflight } = ClapperPreflight, { takeFrame } = ClapperActions;
  const apply = (panel, ticks) => ClapperForms.apply(panel, ticks, show);
  const tidy = () => ClapperFrame.tidy(ClapperState.words.studio_modes);
  return { stage, queue, history, side, account, operators, preflight, show, go, tidy, tells, shortcuts,
    look, generate, mend, describe, apply, notes, takeFrame, forget, lineage, reused, refill, styles, styleChoices, file, addFiles, timeline, timed };
})();
