/* The names of styles for the forms: asked for when the page is there, when it is looked at again, and after a change here. */
const ClapperStyles = (() => {
  const { ask } = ClapperRequests;
  let choices = [], shown = "[]";

  /* Gradio's own event carries the choices over to its fields. */
  const styles = (element, props, trigger, _events) => {
    const look = async () => {
      if (document.hidden) return;
      const answer = await ask("studio/styles").catch(() => null), now = JSON.stringify(answer && answer.ok ? answer.body.choices : choices);
      if (now === shown) return;
      shown = now;
      choices = JSON.parse(now);
      trigger("fill", {});
    };
    document.addEventListener("visibilitychange", look);
    document.addEventListener("clapper-styles", look);
    look();
  };
  const styleChoices = (count) => Array.from({ length: count },
    () => ({ __type__: "update", choices, visible: choices.length > 0 }));

  return { styles, styleChoices };
})();
