// What a page can do better with script. Without it every page works; only copying is by hand.
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = 'Copied';
  });
}

// The exact time in the reader's zone, where the server could only tell it in UTC.
for (const time of document.querySelectorAll('time[datetime]')) {
  time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short', });
}

// One stop for the Tab key in each chart; the arrow keys read the days.
for (const chart of document.querySelectorAll('.chart svg')) {
  const days = [...chart.querySelectorAll('.day')];
  days.forEach((day, index) => day.setAttribute('tabindex', index === days.length - 1 ? '0' : '-1'));
  chart.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = days[days.indexOf(document.activeElement) + step];
    if (next) {
      event.preventDefault();
      days.forEach((day) => day.setAttribute('tabindex', '-1'));
      next.setAttribute('tabindex', '0');
      next.focus();
    }
  });
}

// Who waits for the first request sees it arrive.
if (document.querySelector('[data-wait]')) {
  const noticed = `${location.pathname}?first=true`;
  setInterval(async () => {
    if (document.visibilityState === 'visible') {
      const answer = await fetch(noticed);
      if (answer.ok && !(await answer.text()).includes('data-wait')) {
        location.replace(noticed);
      }
    }
  }, 5000);
}
